"""How far each sweep has come."""

from datetime import datetime

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.metadata import instant, metadata, text

sweep_cursors = Table(
    "sweep_cursors", metadata, text("sweep", primary_key=True), instant("reached_at")
)


class PostgresSweepCursors:
    """See `application.ports.sweeps.SweepCursors`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def reached(self, sweep: str) -> datetime | None:
        statement = select(sweep_cursors.c.reached_at).where(sweep_cursors.c.sweep == sweep)
        async with self._engine.connect() as connection:
            return (await connection.scalars(statement)).one_or_none()

    async def reach(self, sweep: str, at: datetime) -> None:
        statement = insert(sweep_cursors).values(sweep=sweep, reached_at=at)
        async with self._engine.connect() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["sweep"], set_={"reached_at": at})
            )
