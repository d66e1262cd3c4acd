"""Reading what is kept of live events: many channels with one statement, as the indexes lie."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.media import assets
from adapters.postgres.moderation import waits_for_a_moderator
from application.ports.live import (
    Channel,
    JobCompleted,
    JobEvent,
    Kept,
    LiveEvent,
    StepCompleted,
    UserEvent,
)
from domain.identity.actor import Actor
from domain.media.asset import Asset, AssetState
from domain.moderation.case import SubjectKind
from domain.shared.errors import NotFound

_JOBS = sql("""
    SELECT wanted.id, 'job' AS kind, events.event,
           coalesce((SELECT seq FROM jobs WHERE jobs.id = wanted.id), 0) AS last_seq
    FROM unnest(CAST(:ids AS uuid[]), CAST(:seqs AS integer[])) AS wanted (id, seq)
    LEFT JOIN LATERAL (
        SELECT event FROM job_events WHERE job_id = wanted.id AND seq > wanted.seq
        ORDER BY seq LIMIT :limit
    ) AS events ON true
""")

_USERS = sql("""
    SELECT wanted.id, wanted.kind, events.event, coalesce((
        SELECT seq FROM user_channels WHERE user_id = wanted.id AND kind = wanted.kind
    ), 0) AS last_seq
    FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:seqs AS integer[]))
        AS wanted (id, kind, seq)
    LEFT JOIN LATERAL (
        SELECT event FROM user_events
        WHERE user_id = wanted.id AND kind = wanted.kind AND seq > wanted.seq
        ORDER BY seq LIMIT :limit
    ) AS events ON true
""")

_MAY_SEE = sql("""
    SELECT 1 FROM jobs WHERE id = :job_id AND (owner_id = :user_id OR :admin OR EXISTS (
        SELECT FROM generations
        JOIN projects ON projects.id = generations.project_id AND projects.deleted_at IS NULL
        JOIN team_members ON team_members.team_id = projects.team_id
        WHERE generations.id = :job_id AND team_members.user_id = :user_id
    ))
""")
"""Its owner, administrators, and the team whose project it is made in, viewers as well."""


class PostgresLiveRecords:
    """See `application.ports.live.LiveRecords`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def read(self, after: Mapping[Channel, int], *, limit: int) -> Mapping[Channel, Kept]:
        found: dict[Channel, tuple[list[LiveEvent], int]] = {}
        of_jobs = {channel: seq for channel, seq in after.items() if channel.kind == "job"}
        of_users = {channel: seq for channel, seq in after.items() if channel.kind != "job"}
        async with self._sessions() as session:
            for statement, wanted, kind in (
                (_JOBS, of_jobs, JobEvent),
                (_USERS, of_users, UserEvent),
            ):
                if not wanted:
                    continue
                given: dict[str, Any] = {
                    "ids": [channel.subject for channel in wanted],
                    "seqs": list(wanted.values()),
                    "limit": limit,
                }
                if wanted is of_users:
                    given["kinds"] = [channel.kind for channel in wanted]
                for row in await session.execute(statement, given):
                    events, _ = found.setdefault(Channel(row.kind, row.id), ([], row.last_seq))
                    if row.event is not None:
                        events.append(msgspec.convert(row.event, kind))
        return {channel: Kept(events, last) for channel, (events, last) in found.items()}

    async def require_viewer(self, channel: Channel, viewer: Actor) -> None:
        if channel.kind != "job":
            if channel.subject != viewer.user_id:
                raise NotFound(channel.kind, channel.subject)
            return
        may = {"job_id": channel.subject, "user_id": viewer.user_id, "admin": viewer.is_admin}
        async with self._sessions() as session:
            if await session.scalar(_MAY_SEE, may) is None:
                raise NotFound(channel.kind, channel.subject)

    async def results(self, event: JobCompleted | StepCompleted) -> Sequence[Asset]:
        statement = select(Asset).where(assets.c.state == AssetState.READY)
        match event:
            case JobCompleted():
                statement = statement.where(assets.c.generation_id == event.job_id)
            case StepCompleted():
                statement = statement.where(assets.c.id == event.result_asset_id)
        async with self._sessions() as session:
            found = await session.scalars(statement.order_by(assets.c.created_at, assets.c.id))
            return found.all()

    async def in_review(self, event: JobCompleted) -> int:
        statement = (
            select(func.count())
            .select_from(assets)
            .where(assets.c.generation_id == event.job_id, assets.c.state != AssetState.READY)
            .where(waits_for_a_moderator(SubjectKind.ASSET, assets.c.id))
        )
        async with self._sessions() as session:
            return await session.scalar(statement) or 0
