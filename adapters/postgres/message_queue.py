"""Moving messages through their states, whole sets at a time.

The queue runs its statements in autocommit: one round trip each, no transaction left open. Only
redriving takes part in a transaction, that of the audit entry.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres import message_statements as statements
from adapters.postgres.arrays import parameters
from adapters.postgres.messages import TABLES
from application.ports.messages import Box, Claim, DueMessage, Message, Setback, Swept


class PostgresMessageQueue:
    """See `application.ports.messages.MessageQueue`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def take_due(
        self, box: Box, *, rooms: Mapping[str, int], now: datetime, visibility: timedelta
    ) -> list[DueMessage]:
        given = parameters("wanted", ("topic", "room"), list(rooms.items()))
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                statements.take_due(box), {**given, "now": now, "visibility": visibility}
            )
            return [DueMessage(*row) for row in sorted(rows)]

    async def put_back(self, box: Box, ids: Sequence[UUID]) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(statements.put_back(box), {"ids": ids})

    async def claim(
        self, box: Box, topic: str, ids: Sequence[UUID], *, lease: timedelta
    ) -> Claim | None:
        async with self._engine.connect() as connection:
            result = await connection.execute(
                statements.claim(box), {"ids": ids, "of_topic": topic, "lease": lease}
            )
            rows = result.all()
        if not rows:
            return None
        names = [column.name for column in statements.message_columns(box)]
        messages = [Message(box=box, **dict(zip(names, row, strict=False))) for row in rows]
        messages.sort(key=lambda message: message.id)
        return Claim(box, messages, rows[0].lease_until)

    async def finish(
        self, claim: Claim, *, done: Sequence[UUID], setbacks: Sequence[Setback], now: datetime
    ) -> int:
        held = {"held_until": claim.lease_until, "now": now}
        finished = 0
        async with self._engine.connect() as connection:
            if done:
                result = await connection.execute(
                    statements.complete(claim.box), {"ids": done, **held}
                )
                finished += result.rowcount
            if setbacks:
                rows = [(one.id, one.state, one.due_at, one.counted, one.error) for one in setbacks]
                given = parameters("given", list(statements.SETBACK), rows)
                result = await connection.execute(statements.set_back(claim.box), {**given, **held})
                finished += result.rowcount
        return finished

    async def sweep(self, box: Box, *, now: datetime, max_attempts: int) -> Swept:
        async with self._engine.connect() as connection:
            result = await connection.scalars(
                statements.sweep(box), {"now": now, "max_attempts": max_attempts}
            )
            states = result.all()
        parked = sum(state == "parked" for state in states)
        return Swept(returned=len(states) - parked, parked=parked)

    async def purge(self, box: Box, *, before: datetime, limit: int) -> int:
        async with self._engine.connect() as connection:
            result = await connection.execute(
                statements.purge(box),
                {"before": before, "first_id": _first_id_at(before), "most": limit},
            )
        return result.rowcount


class PostgresParkedMessages:
    """See `application.ports.messages.ParkedMessages`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def redrive(
        self, box: Box, *, ids: Sequence[UUID] | None, topic: str | None, now: datetime
    ) -> list[UUID]:
        table = TABLES[box]
        statement = update(table).where(statements.is_state(table, "parked"))
        if ids is not None:
            statement = statement.where(table.c.id.in_(ids))
        if topic is not None:
            statement = statement.where(table.c.topic == topic)
        statement = statement.values(state="pending", attempts=0, due_at=now, finished_at=None)
        return list((await self._session.scalars(statement.returning(table.c.id))).all())


def _first_id_at(instant: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond (RFC 9562, section 5.7)."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80)
