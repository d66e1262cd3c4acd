"""Turns and circuits in dicts, for the tests of use cases."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table, UniqueKeys, already_exists
from domain.studio.attempt import Attempt
from domain.studio.circuit import Circuit
from domain.studio.failures import FailureClass
from domain.studio.job import Job
from domain.studio.step import Step, StepStatus
from domain.studio.turns import EngineName, Waiting

CIRCUIT_KEYS: UniqueKeys[Circuit] = {
    lambda circuit: (circuit.provider, circuit.model): already_exists
}
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(eq=False)
class Served:
    user_id: UUID
    at: datetime


class MemoryTurns(MemoryRepository[Served]):
    """See `application.ports.studio.Turns`. One process, one loop: there is nobody to lock out."""

    def __init__(
        self,
        table: Table[Served],
        *,
        jobs: MemoryRepository[Job],
        steps: MemoryRepository[Step],
        attempts: MemoryRepository[Attempt],
    ) -> None:
        super().__init__(table)
        self._jobs, self._steps, self._attempts = jobs, steps, attempts

    async def lock(self) -> None:
        return

    async def waiting(self, *, now: datetime, per_user: int, limit: int) -> list[Waiting]:
        jobs = {job.id: job for job in self._jobs._where(lambda job: job.is_open)}
        ready = [
            (step.ready_at, step)
            for step in self._steps._where(lambda step: step.status is StepStatus.READY)
            if step.ready_at is not None and step.ready_at <= now and step.job_id in jobs
        ]
        by_user: dict[UUID, list[Waiting]] = defaultdict(list)
        for ready_at, step in sorted(ready, key=lambda pair: (pair[0], pair[1].id)):
            job = jobs[step.job_id]
            if len(by_user[job.owner_id]) < per_user:
                by_user[job.owner_id].append(self._waiting(step, job, ready_at))
        served = await self.served(by_user)
        found = [one for waiting in by_user.values() for one in waiting]
        found.sort(
            key=lambda one: (
                -one.priority,
                served.get(one.owner_id, _NEVER),
                one.ready_at,
                one.step_id,
            )
        )
        return found[:limit]

    async def in_flight(self) -> Mapping[str, int]:
        return Counter(one.provider for one in self._attempts._where(lambda a: a.is_in_flight))

    async def started(self, owner_ids: Collection[UUID]) -> Mapping[UUID, int]:
        started = self._jobs._where(lambda job: job.is_started and job.owner_id in owner_ids)
        return Counter(job.owner_id for job in started)

    async def served(self, owner_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        return {one.user_id: one.at for one in self._where(lambda one: one.user_id in owner_ids)}

    async def serve(self, owner_ids: Collection[UUID], *, at: datetime) -> None:
        for owner_id in owner_ids:
            known = self._peek(owner_id)
            if known is None:
                self.add(Served(owner_id, at))
            else:
                known.at = at

    def _waiting(self, step: Step, job: Job, ready_at: datetime) -> Waiting:
        tried = list(
            self._attempts._where(lambda one: one.step_id == step.id and one.round == job.round)
        )
        sent_away = [one for one in tried if one.failure is FailureClass.FAIL_OVER]
        return Waiting(
            step_id=step.id,
            job_id=job.id,
            owner_id=job.owner_id,
            request=step.request or "",
            priority=job.priority,
            concurrency=job.concurrency,
            started=job.is_started,
            ready_at=ready_at,
            tried=tuple(EngineName(one.provider, one.model) for one in tried),
            avoid=tuple(EngineName(one.provider, one.model) for one in sent_away),
        )


class MemoryCircuits(MemoryRepository[Circuit]):
    """See `application.ports.studio.Circuits`."""

    async def opened(self, circuit: Circuit) -> Circuit:
        known = await self.of_engine(circuit.provider, circuit.model)
        if known is None:
            self.add(circuit)
        return known or circuit

    async def unclean(self) -> list[Circuit]:
        return sorted(self._where(lambda one: one.failures > 0), key=lambda one: one.id)

    async def of_engine(self, provider: str, model: str) -> Circuit | None:
        key = (provider, model)
        return next(self._where(lambda one: (one.provider, one.model) == key), None)
