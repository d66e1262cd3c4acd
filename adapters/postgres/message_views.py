"""What operators and dashboards read of outbox and inbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, literal_column, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.messages import TABLES
from application.ports.messages import Box, MessageRow, QueueDepth, State, StoredMessage
from domain.shared.errors import NotFound

_SHARED = (
    "id",
    "topic",
    "state",
    "attempts",
    "due_at",
    "created_at",
    "finished_at",
    "last_error",
    "request_id",
)


def _columns(box: Box) -> list[ColumnElement[Any]]:
    """What a `MessageRow` shows; what only the other box has is null."""
    table = TABLES[box]
    own: list[ColumnElement[Any]] = (
        [table.c.key, null().label("external_id"), null().label("kind")]
        if box == "outbox"
        else [null().label("key"), table.c.external_id, table.c.kind]
    )
    return [*(table.c[name] for name in _SHARED), *own]


class PostgresMessageViews:
    """See `application.ports.messages.MessageViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def page(
        self,
        box: Box,
        *,
        state: State | None = None,
        topic: str | None = None,
        created_before: datetime | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> list[MessageRow]:
        table = TABLES[box]
        statement = select(*_columns(box))
        if state is not None:
            statement = statement.where(table.c.state == literal_column(f"'{state}'"))
        if topic is not None:
            statement = statement.where(table.c.topic == topic)
        if created_before is not None:
            statement = statement.where(table.c.created_at < created_before)
        if before is not None:
            statement = statement.where(table.c.id < before)
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement.order_by(table.c.id.desc()).limit(limit))
            return [MessageRow(box=box, **row._mapping) for row in rows]

    async def message(self, box: Box, message_id: UUID) -> StoredMessage:
        table = TABLES[box]
        statement = select(*_columns(box), table.c.payload).where(table.c.id == message_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise NotFound("message", message_id)
        facts = dict(row._mapping)
        payload = facts.pop("payload")
        return StoredMessage(row=MessageRow(box=box, **facts), payload=payload)

    async def depths(self, *, now: datetime) -> list[QueueDepth]:
        # One partial index serves each condition: the done rows are never looked at.
        conditions = ("= 'pending'", "IN ('dispatched', 'running')", "= 'parked'")
        per_box = [
            select(
                literal(box).label("box"),
                table.c.topic,
                table.c.state,
                func.count().label("messages"),
                func.min(table.c.due_at).label("oldest"),
            )
            .where(literal_column(f"{table.name}.state {condition}"))
            .group_by(table.c.topic, table.c.state)
            for box, table in TABLES.items()
            for condition in conditions
        ]
        async with self._engine.connect() as connection:
            rows = (await connection.execute(union_all(*per_box))).all()
        return [
            QueueDepth(
                box=row.box,
                topic=row.topic,
                state=row.state,
                count=row.messages,
                oldest_age_s=max((now - row.oldest).total_seconds(), 0.0),
            )
            for row in rows
        ]
