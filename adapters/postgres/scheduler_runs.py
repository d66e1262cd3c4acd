"""When each periodic job last ran, so that one that has stopped running is seen."""

from datetime import datetime

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.metadata import instant, metadata, text
from application.ports.schedule import JobRun

scheduler_runs = Table(
    "scheduler_runs",
    metadata,
    text("name", primary_key=True),
    instant("started_at"),
    instant("finished_at", nullable=True),
    text("error", nullable=True),
)


class PostgresJobRuns:
    """See `application.ports.schedule.JobRuns`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def started(self, name: str, *, now: datetime) -> None:
        begun = {"started_at": now, "finished_at": None}
        statement = insert(scheduler_runs).values(name=name, **begun)
        async with self._engine.connect() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=begun)
            )

    async def finished(self, name: str, *, now: datetime, error: str | None) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(
                scheduler_runs.update()
                .where(scheduler_runs.c.name == name)
                .values(finished_at=now, error=error)
            )

    async def all(self) -> list[JobRun]:
        runs = scheduler_runs.c
        statement = select(runs.name, runs.started_at, runs.finished_at, runs.error)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement.order_by(runs.name))).all()
        return [
            JobRun(
                name=row.name,
                started_at=row.started_at,
                finished_at=row.finished_at,
                error=row.error,
            )
            for row in rows
        ]
