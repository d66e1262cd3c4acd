"""Moving messages through their states, whole sets at a time.

Every method is one statement in autocommit: one round trip, no transaction left open. Literal
states (not parameters) let the planner use the partial indexes in a cached plan.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.arrays import Values, unnested
from adapters.postgres.messages import TABLES
from application.ports.messages import (
    Box,
    Claim,
    DueMessage,
    Message,
    Setback,
    State,
    Swept,
)

_LEASE_OVER = "LeaseExpired: the worker was lost, or took longer than its topic allows"


class PostgresMessageQueue:
    """See `application.ports.messages.MessageQueue`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def take_due(
        self, box: Box, *, rooms: Mapping[str, int], now: datetime, visibility: timedelta
    ) -> list[DueMessage]:
        table = TABLES[box]
        wanted = unnested(
            "wanted",
            Values("topic", Text(), list(rooms)),
            Values("room", Integer(), list(rooms.values())),
        )
        other = table.alias("in_flight")
        in_flight = (
            select(func.count())
            .where(_in(other, "dispatched", "running"), other.c.topic == wanted.c.topic)
            .correlate(wanted)
            .scalar_subquery()
        )
        # LIMIT may look at the row beside which a lateral query runs, not at its own.
        topics = select(
            wanted.c.topic, func.greatest(wanted.c.room - in_flight, 0).label("room")
        ).cte("topics")
        oldest = (
            select(table.c.id)
            .where(_is(table, "pending"), table.c.topic == topics.c.topic, table.c.due_at <= now)
            .order_by(table.c.due_at)
            .limit(topics.c.room)
            .with_for_update(skip_locked=True)
            .correlate(topics)
            .lateral("oldest")
        )
        due = (
            select(oldest.c.id)
            .select_from(topics.join(oldest, true()))
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        statement = (
            update(table)
            .where(table.c.id == due.c.id)
            .values(state="dispatched", lease_until=func.now() + visibility)
            .returning(table.c.id, table.c.topic, table.c.attempts)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).all()
        return [DueMessage(*row) for row in sorted(rows)]

    async def put_back(self, box: Box, ids: Sequence[UUID]) -> None:
        table = TABLES[box]
        async with self._engine.connect() as connection:
            await connection.execute(
                update(table)
                .where(_among(table, ids), _is(table, "dispatched"))
                .values(state="pending", lease_until=None)
            )

    async def claim(
        self, box: Box, topic: str, ids: Sequence[UUID], *, lease: timedelta
    ) -> Claim | None:
        table = TABLES[box]
        statement = (
            update(table)
            .where(_among(table, ids), _is(table, "dispatched"), table.c.topic == topic)
            .values(
                state="running",
                # The clock, not the start of the statement: it may have waited for a row's lock.
                lease_until=func.statement_timestamp() + lease,
                attempts=table.c.attempts + 1,
            )
            .returning(*_message_columns(box), table.c.lease_until)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).all()
        if not rows:
            return None
        names = [column.name for column in _message_columns(box)]
        messages = [Message(box=box, **dict(zip(names, row, strict=False))) for row in rows]
        messages.sort(key=lambda message: message.id)
        return Claim(box, messages, rows[0].lease_until)

    async def finish(
        self, claim: Claim, *, done: Sequence[UUID], setbacks: Sequence[Setback], now: datetime
    ) -> int:
        table = TABLES[claim.box]
        held = and_(_is(table, "running"), table.c.lease_until == claim.lease_until)
        finished = 0
        async with self._engine.connect() as connection:
            if done:
                result = await connection.execute(
                    update(table)
                    .where(_among(table, done), held)
                    .values(state="done", lease_until=None, finished_at=now)
                )
                finished += result.rowcount
            if setbacks:
                result = await connection.execute(_set_back(table, setbacks, held, now))
                finished += result.rowcount
        return finished

    async def sweep(self, box: Box, *, now: datetime, max_attempts: int) -> Swept:
        table = TABLES[box]
        running = _is(table, "running")
        worn_out = and_(running, table.c.attempts >= max_attempts)
        lost = (
            select(table.c.id)
            .where(_in(table, "dispatched", "running"), table.c.lease_until < func.now())
            .with_for_update(skip_locked=True)
            .limit(10_000)
            .cte("lost")
            .prefix_with("MATERIALIZED")
        )
        statement = (
            update(table)
            .where(table.c.id == lost.c.id)
            .values(
                state=case((worn_out, "parked"), else_="pending"),
                finished_at=case((worn_out, now), else_=null()),
                last_error=case((running, _LEASE_OVER), else_=table.c.last_error),
                lease_until=None,
            )
            .returning(table.c.state)
        )
        async with self._engine.connect() as connection:
            states = (await connection.scalars(statement)).all()
        parked = sum(state == "parked" for state in states)
        return Swept(returned=len(states) - parked, parked=parked)

    async def purge(self, box: Box, *, before: datetime, limit: int) -> int:
        table = TABLES[box]
        old = (
            select(table.c.id)
            .where(
                # Ids begin with their time, so the primary key finds the old end of the table.
                table.c.id < _first_id_at(before),
                _is(table, "done"),
                table.c.finished_at < before,
            )
            .order_by(table.c.id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            result = await connection.execute(delete(table).where(table.c.id.in_(old)))
        return result.rowcount

    async def redrive(
        self, box: Box, *, ids: Sequence[UUID] | None, topic: str | None, now: datetime
    ) -> list[UUID]:
        table = TABLES[box]
        statement = update(table).where(_is(table, "parked"))
        if ids is not None:
            statement = statement.where(_among(table, ids))
        if topic is not None:
            statement = statement.where(table.c.topic == topic)
        statement = statement.values(state="pending", attempts=0, due_at=now, finished_at=None)
        async with self._engine.connect() as connection:
            return list((await connection.scalars(statement.returning(table.c.id))).all())


def _set_back(
    table: Table, setbacks: Sequence[Setback], held: ColumnElement[bool], now: datetime
) -> Any:
    given = unnested(
        "given",
        Values("id", Uuid(), [setback.id for setback in setbacks]),
        Values("state", Text(), [setback.state for setback in setbacks]),
        Values("due_at", DateTime(timezone=True), [setback.due_at for setback in setbacks]),
        Values("counted", Boolean(), [setback.counted for setback in setbacks]),
        Values("error", Text(), [setback.error for setback in setbacks]),
    )
    return (
        update(table)
        .where(table.c.id == given.c.id, held)
        .values(
            state=given.c.state,
            due_at=given.c.due_at,
            attempts=table.c.attempts - case((given.c.counted, 0), else_=1),
            last_error=given.c.error,
            lease_until=None,
            finished_at=case((given.c.state == "parked", now), else_=null()),
        )
    )


def _message_columns(box: Box) -> list[Column[Any]]:
    names = ["id", "topic", "payload", "attempts", "created_at", "request_id", "traceparent"]
    names += ["key"] if box == "outbox" else ["external_id", "kind"]
    return [TABLES[box].c[name] for name in names]


def _is(table: Any, state: State) -> ColumnElement[bool]:
    return table.c.state == literal_column(f"'{state}'")  # type: ignore[no-any-return]


def _in(table: Any, *states: State) -> ColumnElement[bool]:
    return table.c.state.in_([literal_column(f"'{state}'") for state in states])  # type: ignore[no-any-return]


def _among(table: Table, ids: Sequence[UUID]) -> ColumnElement[bool]:
    return table.c.id == any_(cast(list(ids), ARRAY(Uuid())))


def _first_id_at(instant: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond (RFC 9562, section 5.7)."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80)
