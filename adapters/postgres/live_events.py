"""Events of jobs and of users' channels: added, read in order, and swept when they are old.

A trigger refuses to change them. The row that counts a user's channel is locked until the commit,
so that events become visible in the order of their numbers.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    CursorResult,
    ForeignKey,
    Index,
    Integer,
    Table,
    Uuid,
    insert,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.columns import json_of
from adapters.postgres.metadata import instant, metadata, text
from application.ports.live import JobEvent, Told, UserEvent, channel_of, with_seq

job_events = Table(
    "job_events",
    metadata,
    Column(
        "job_id", ForeignKey("jobs.id", deferrable=True, initially="DEFERRED"), primary_key=True
    ),
    Column("seq", Integer, primary_key=True),
    json_of("event", JobEvent),
    instant("created_at"),
    Index("ix_job_events_created_at", "created_at"),
)

user_channels = Table(
    "user_channels",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    text("kind", primary_key=True),
    Column("seq", Integer, nullable=False),
    CheckConstraint("seq > 0", name="seq"),
)
"""How many events each channel of a user has had."""

user_events = Table(
    "user_events",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    text("kind", primary_key=True),
    Column("seq", Integer, primary_key=True),
    json_of("event", UserEvent),
    instant("created_at"),
    CheckConstraint("kind IN ('generations', 'orders', 'uploads')", name="kind"),
    Index("ix_user_events_created_at", "created_at"),
)

_COUNT = sql("""
    INSERT INTO user_channels (user_id, kind, seq)
    SELECT * FROM unnest(CAST(:users AS uuid[]), CAST(:kinds AS text[]), CAST(:more AS integer[]))
    ON CONFLICT (user_id, kind) DO UPDATE SET seq = user_channels.seq + excluded.seq
    RETURNING user_id, kind, seq
""")


KEEP_JOB_EVENT = insert(job_events)
"""Of a row of `job_event_row`. Fails when its job has an event of this `seq` already."""


def job_event_row(event: JobEvent, *, at: datetime) -> dict[str, object]:
    return {"job_id": event.job_id, "seq": event.seq, "event": event, "created_at": at}


class PostgresUserEvents:
    """See `application.ports.live.UserEvents`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def log(
        self, events: Sequence[tuple[UUID, UserEvent]], *, at: datetime
    ) -> Sequence[Told]:
        if not events:
            return []
        channels = [channel_of(user_id, event) for user_id, event in events]
        more = sorted(Counter(channels).items(), key=lambda one: (one[0].subject, one[0].kind))
        counted = await self._session.execute(
            _COUNT,
            {
                "users": [channel.subject for channel, _ in more],
                "kinds": [channel.kind for channel, _ in more],
                "more": [number for _, number in more],
            },
        )
        ends = {(row.user_id, row.kind): row.seq for row in counted}
        last = {channel: ends[channel.subject, channel.kind] - number for channel, number in more}
        told = []
        for channel, (_, event) in zip(channels, events, strict=True):
            last[channel] += 1
            told.append(Told(channel, with_seq(event, last[channel])))
        await self._session.execute(
            insert(user_events),
            [
                {
                    "user_id": channel.subject,
                    "kind": channel.kind,
                    "seq": event.seq,
                    "event": event,
                    "created_at": at,
                }
                for channel, event in told
            ],
        )
        return told


_PURGES = [
    sql(f"""
        DELETE FROM {table} WHERE ctid IN (
            SELECT ctid FROM {table} WHERE created_at < :before
            ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
        )
    """)  # noqa: S608 - names of our own
    for table in (job_events, user_events)
]


class PostgresEventPurge:
    """See `application.ports.live.EventPurge`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def purge(self, *, before: datetime, limit: int) -> int:
        purged = 0
        for statement in _PURGES:
            async with self._sessions.begin() as session:
                gone = await session.execute(statement, {"before": before, "limit": limit})
                purged += cast("CursorResult[Any]", gone).rowcount
        return purged
