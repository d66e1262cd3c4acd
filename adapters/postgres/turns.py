"""Who waits for a place at an engine, and who has one."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.jobs import attempts, engine_circuits, jobs, steps, studio_turns
from adapters.postgres.repository import PostgresRepository
from domain.studio.attempt import IN_FLIGHT
from domain.studio.circuit import Circuit
from domain.studio.failures import FailureClass
from domain.studio.job import OPEN, STARTED
from domain.studio.step import StepStatus
from domain.studio.turns import EngineName, Waiting

_LOCK = sql("SELECT pg_advisory_xact_lock(x'7475726E'::bigint)")
"""`turn`, in ASCII."""


class PostgresTurns:
    """See `application.ports.studio.Turns`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        await self._session.execute(_LOCK)

    async def waiting(self, *, now: datetime, per_user: int, limit: int) -> list[Waiting]:
        number = (
            func.row_number()
            .over(partition_by=jobs.c.owner_id, order_by=(steps.c.ready_at, steps.c.id))
            .label("number")
        )
        ready = (
            select(
                steps.c.id.label("step_id"),
                steps.c.job_id,
                jobs.c.owner_id,
                steps.c.request,
                jobs.c.priority,
                jobs.c.concurrency,
                jobs.c.status.in_(STARTED).label("started"),
                steps.c.ready_at,
                number,
            )
            .join(jobs, jobs.c.id == steps.c.job_id)
            .where(
                steps.c.status == StepStatus.READY,
                steps.c.ready_at <= now,
                jobs.c.status.in_(OPEN),
            )
            .subquery()
        )
        first = (
            select(*(column for column in ready.c if column.name != "number"))
            .outerjoin(studio_turns, studio_turns.c.user_id == ready.c.owner_id)
            .where(ready.c.number <= per_user)
            .order_by(
                ready.c.priority.desc(),
                studio_turns.c.served_at.asc().nulls_first(),
                ready.c.ready_at,
                ready.c.step_id,
            )
            .limit(limit)
        )
        rows = (await self._session.execute(first)).all()
        tried, avoid = await self._tried([row.step_id for row in rows])
        return [
            Waiting(
                **row._mapping,
                tried=tuple(tried[row.step_id]),
                avoid=tuple(avoid[row.step_id]),
            )
            for row in rows
        ]

    async def in_flight(self) -> Mapping[str, int]:
        found = await self._session.execute(
            select(attempts.c.provider, func.count())
            .where(attempts.c.status.in_(IN_FLIGHT))
            .group_by(attempts.c.provider)
        )
        return {row[0]: row[1] for row in found}

    async def started(self, owner_ids: Collection[UUID]) -> Mapping[UUID, int]:
        found = await self._session.execute(
            select(jobs.c.owner_id, func.count())
            .where(jobs.c.owner_id.in_(owner_ids), jobs.c.status.in_(STARTED))
            .group_by(jobs.c.owner_id)
        )
        return {row[0]: row[1] for row in found}

    async def served(self, owner_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        found = await self._session.execute(
            select(studio_turns).where(studio_turns.c.user_id.in_(owner_ids))
        )
        return {row.user_id: row.served_at for row in found}

    async def serve(self, owner_ids: Collection[UUID], *, at: datetime) -> None:
        if not owner_ids:
            return
        statement = upsert(studio_turns).values(
            [{"user_id": owner_id, "served_at": at} for owner_id in sorted(owner_ids)]
        )
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id"], set_={"served_at": statement.excluded.served_at}
            )
        )

    async def _tried(
        self, step_ids: Collection[UUID]
    ) -> tuple[dict[UUID, list[EngineName]], dict[UUID, list[EngineName]]]:
        """The engines of the attempts of this round, and those that sent us elsewhere."""
        tried: dict[UUID, list[EngineName]] = defaultdict(list)
        avoid: dict[UUID, list[EngineName]] = defaultdict(list)
        if not step_ids:
            return tried, avoid
        found = await self._session.execute(
            select(attempts.c.step_id, attempts.c.provider, attempts.c.model, attempts.c.failure)
            .join(jobs, (jobs.c.id == attempts.c.job_id) & (jobs.c.round == attempts.c.round))
            .where(attempts.c.step_id.in_(step_ids))
        )
        for step_id, provider, model, failure in found:
            engine = EngineName(provider, model)
            tried[step_id].append(engine)
            if failure is FailureClass.FAIL_OVER:
                avoid[step_id].append(engine)
        return tried, avoid


class PostgresCircuits(PostgresRepository[Circuit]):
    """See `application.ports.studio.Circuits`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Circuit, kind="circuit")

    async def opened(self, circuit: Circuit) -> Circuit:
        await self._session.execute(
            upsert(engine_circuits)
            .values(id=circuit.id, provider=circuit.provider, model=circuit.model, failures=0)
            .on_conflict_do_nothing(index_elements=["provider", "model"])
        )
        return await self.of_engine(circuit.provider, circuit.model) or circuit

    async def unclean(self) -> list[Circuit]:
        return await self._many(
            select(Circuit).where(engine_circuits.c.failures > 0).order_by(engine_circuits.c.id)
        )

    async def of_engine(self, provider: str, model: str) -> Circuit | None:
        return await self._one(
            select(Circuit)
            .where(engine_circuits.c.provider == provider, engine_circuits.c.model == model)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
