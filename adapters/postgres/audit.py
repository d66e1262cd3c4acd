"""The audit log's table, append-only by trigger, how entries come into it, and how it is read."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Table, Uuid, insert, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.metadata import id_column, instant, metadata, text
from application.messaging.auditing import Recorded, recorded
from application.ports.audit import AuditEntry, AuditFilter, AuditPosition, Facts
from application.ports.clock import Clock
from application.ports.ids import Ids
from domain.identity.actor import Actor

audit_entries = Table(
    "audit_entries",
    metadata,
    id_column(),
    text("act", CheckConstraint(r"act ~ '^[a-z_]+\.[a-z_]+$'", name="act_is_object_and_verb")),
    # No foreign key: accounts may be erased, and what was done under them stays.
    Column("actor_id", Uuid, nullable=True),
    text("actor_name", nullable=True),
    text("object_kind"),
    text("object_id"),
    Column("before", JSONB(none_as_null=True), nullable=True),
    Column("after", JSONB(none_as_null=True), nullable=True),
    text("address", nullable=True),
    text("request_id", nullable=True),
    instant("occurred_at"),
    CheckConstraint("(actor_id IS NULL) <> (actor_name IS NULL)", name="one_actor"),
    Index(None, "occurred_at", "id"),
    Index(None, "object_kind", "object_id", "occurred_at", "id"),
    Index(None, "actor_id", "occurred_at", "id"),
    Index(None, "act", "occurred_at", "id"),
)


class _Entry(NamedTuple):
    id: UUID
    occurred_at: datetime
    recorded: Recorded


class PostgresAuditLog:
    """See `application.ports.audit.AuditLog`. The unit of work flushes it when it commits."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._entries: list[_Entry] = []

    def record(
        self,
        act: str,
        *,
        actor: Actor | str,
        on: tuple[str, UUID | str],
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        entry = recorded(act, actor=actor, on=on, before=before, after=after)
        self._entries.append(_Entry(self._ids.new(), self._clock.now(), entry))

    async def flush(self, session: AsyncSession) -> None:
        entries, self._entries = self._entries, []
        if entries:
            rows = [
                {"id": entry.id, "occurred_at": entry.occurred_at, **entry.recorded._asdict()}
                for entry in entries
            ]
            await session.execute(insert(audit_entries), rows)


class PostgresAuditViews:
    """See `application.ports.audit.AuditViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def page(
        self, wanted: AuditFilter, *, before: AuditPosition | None, limit: int
    ) -> list[AuditEntry]:
        columns = audit_entries.c
        statement = select(audit_entries)
        for name in ("act", "actor_id", "object_kind", "object_id"):
            if (value := getattr(wanted, name)) is not None:
                statement = statement.where(columns[name] == value)
        if wanted.since is not None:
            statement = statement.where(columns.occurred_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(columns.occurred_at < wanted.until)
        if before is not None:
            statement = statement.where(tuple_(columns.occurred_at, columns.id) < before)
        newest_first = (columns.occurred_at.desc(), columns.id.desc())
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement.order_by(*newest_first).limit(limit))
            return [AuditEntry(**row._mapping) for row in rows]
