"""The tables of outbox and inbox, and how rows come into them.

Both tables have the same shape, so that one set of statements moves the rows of either. Indexes
are partial: millions of done rows cost the statements that look for work nothing.
"""

import asyncio
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from adapters.postgres.arrays import parameters, unnested_parameters
from adapters.postgres.metadata import INSTANT, id_column, instant, metadata, text
from application.messaging import correlation
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import Box, Wake

# Rows come and go: dead index entries must be cleared away long before a fifth of the table died.
_STORAGE = {
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_insert_scale_factor": 0.1,
    "autovacuum_analyze_scale_factor": 0.02,
}


def _message_table(name: str, *parts: SchemaItem) -> Table:
    return Table(
        name,
        metadata,
        id_column(),
        text("topic"),
        *parts,
        Column("payload", LargeBinary, nullable=False),
        text("state", server_default="pending"),
        Column("attempts", Integer, nullable=False, server_default="0"),
        instant("due_at"),
        instant("lease_until", nullable=True),
        text("last_error", nullable=True),
        instant("created_at"),
        instant("finished_at", nullable=True),
        text("request_id", nullable=True),
        text("traceparent", nullable=True),
        CheckConstraint(
            "state IN ('pending', 'dispatched', 'running', 'done', 'parked')", name="state"
        ),
        CheckConstraint(
            "(lease_until IS NOT NULL) = (state IN ('dispatched', 'running'))", name="lease"
        ),
        CheckConstraint(
            "(finished_at IS NOT NULL) = (state IN ('done', 'parked'))", name="finished"
        ),
        Index(f"ix_{name}_due", "topic", "due_at", postgresql_where=sql("state = 'pending'")),
        Index(
            f"ix_{name}_in_flight",
            "topic",
            "lease_until",
            postgresql_where=sql("state IN ('dispatched', 'running')"),
        ),
        Index(f"ix_{name}_parked", "topic", "id", postgresql_where=sql("state = 'parked'")),
        postgresql_with=_STORAGE,
    )


outbox_messages = _message_table(
    "outbox_messages",
    text("key", nullable=True),
    Index(
        "uq_outbox_messages_topic_key",
        "topic",
        "key",
        unique=True,
        postgresql_where=sql("key IS NOT NULL"),
    ),
)

inbox_messages = _message_table(
    "inbox_messages",
    text("external_id"),
    text("kind"),
    Index("uq_inbox_messages_topic_external_id", "topic", "external_id", unique=True),
)
"""`topic` is the source: stripe, stripe-connect, fal, …"""

TABLES: dict[Box, Table] = {"outbox": outbox_messages, "inbox": inbox_messages}


_ORIGIN: dict[str, TypeEngine[Any]] = {
    "payload": LargeBinary(),
    "due_at": INSTANT,
    "created_at": INSTANT,
    "request_id": Text(),
    "traceparent": Text(),
}


def _insert(table: Table, alias: str, columns: dict[str, TypeEngine[Any]]) -> Insert:
    rows = unnested_parameters(alias, columns)
    return insert(table).from_select(list(columns), select(rows))


_ADD = _insert(
    outbox_messages, "added", {"id": Uuid(), "topic": Text(), "key": Text(), **_ORIGIN}
).on_conflict_do_nothing(index_elements=["topic", "key"], index_where=sql("key IS NOT NULL"))

_RECEIVE = (
    _insert(
        inbox_messages,
        "received",
        {"id": Uuid(), "topic": Text(), "external_id": Text(), "kind": Text(), **_ORIGIN},
    )
    .on_conflict_do_nothing(index_elements=["topic", "external_id"])
    .returning(inbox_messages.c.id)
)


class _Added(NamedTuple):
    id: UUID
    topic: str
    key: str | None
    payload: bytes
    due_at: datetime
    created_at: datetime
    request_id: str | None
    traceparent: str | None


class PostgresOutbox:
    """See `application.ports.messages.Outbox`. The unit of work flushes it when it commits."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._added: list[_Added] = []

    def add(
        self,
        topic: str,
        body: msgspec.Struct,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        now = self._clock.now()
        self._added.append(
            _Added(
                self._ids.new(),
                topic,
                key,
                msgspec.json.encode(body),
                due_at or now,
                now,
                correlation.request_id.get(),
                correlation.traceparent.get(),
            )
        )

    async def flush(self, session: AsyncSession) -> bool:
        """Insert what was added, in one statement; False when there was nothing."""
        added, self._added = self._added, []
        if not added:
            return False
        await session.execute(_ADD, parameters("added", _Added._fields, added))
        return True


class _Received(NamedTuple):
    id: UUID
    topic: str
    external_id: str
    kind: str
    payload: bytes
    due_at: datetime
    created_at: datetime
    request_id: str | None
    traceparent: str | None


class PostgresInbox:
    """See `application.ports.messages.Inbox`.

    Messages that arrive while a statement is under way share the next one: under load a commit
    serves many webhooks, and an idle server pays nothing for it.
    """

    def __init__(
        self, engine: AsyncEngine, *, clock: Clock, ids: Ids, wake: Wake | None = None
    ) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._waiting: list[tuple[_Received, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def receive(self, *, source: str, external_id: str, kind: str, payload: bytes) -> bool:
        now = self._clock.now()
        received = _Received(
            self._ids.new(),
            source,
            external_id,
            kind,
            payload,
            now,
            now,
            correlation.request_id.get(),
            correlation.traceparent.get(),
        )
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((received, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await kept

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:500], self._waiting[500:]
                await self._settle(batch)
        finally:
            self._writing = None

    async def _settle(self, batch: list[tuple[_Received, asyncio.Future[bool]]]) -> None:
        try:
            inserted = await self._store([received for received, _ in batch])
        except Exception as error:  # noqa: BLE001 - each caller gets its own answer
            if len(batch) > 1:  # one of them may be at fault: the others must not suffer
                for one in batch:
                    await self._settle([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for received, kept in batch:
            if not kept.done():
                kept.set_result(received.id in inserted)
        if inserted and self._wake is not None:
            self._wake.wake()

    async def _store(self, received: list[_Received]) -> set[UUID]:
        async with self._engine.connect() as connection:
            given = parameters("received", _Received._fields, received)
            return set((await connection.scalars(_RECEIVE, given)).all())
