"""Jobs, steps, attempts, generations and models in dicts, for the tests of use cases."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table, UniqueKeys, already_exists
from application.ports.live import JobEvent
from domain.creators.likeness_model import LikenessModel
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.generation import Generation
from domain.studio.job import Job
from domain.studio.step import Step

MODEL_KEYS: UniqueKeys[LikenessModel] = {
    lambda model: (model.creator_id, model.version): already_exists,
    lambda model: model.creator_id if model.in_force else None: already_exists,
}

STEP_KEYS: UniqueKeys[Step] = {lambda step: (step.job_id, step.position): already_exists}

ATTEMPT_KEYS: UniqueKeys[Attempt] = {
    lambda attempt: (attempt.step_id, attempt.round, attempt.number): already_exists,
    lambda attempt: (
        (attempt.provider, attempt.request_id) if attempt.request_id else None
    ): already_exists,
}

_WATCHED = (AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN, AttemptStatus.ACTIVE)


class LoggedEvent(NamedTuple):
    event: JobEvent
    at: datetime


class MemoryJobs(MemoryRepository[Job]):
    """See `application.ports.studio.Jobs`. Events are logged with the commit."""

    def __init__(self, table: Table[Job], events: list[LoggedEvent]) -> None:
        super().__init__(table)
        self._events = events
        self._new_events: list[LoggedEvent] = []

    async def log(self, event: JobEvent, *, at: datetime) -> None:
        self._new_events.append(LoggedEvent(event, at))

    async def locked(self, job_ids: Collection[UUID]) -> list[Job]:
        return sorted(self._where(lambda job: job.id in job_ids), key=lambda job: job.id)

    def check(self) -> None:
        super().check()
        events = [(e.event.job_id, e.event.seq) for e in (*self._events, *self._new_events)]
        if len(set(events)) < len(events):
            raise already_exists()

    def flush(self) -> None:
        super().flush()
        self._events.extend(self._new_events)
        self._new_events.clear()


class MemorySteps(MemoryRepository[Step]):
    """See `application.ports.studio.Steps`."""

    async def of_job(self, job_id: UUID) -> list[Step]:
        return await self.of_jobs([job_id])

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Step]:
        found = self._where(lambda step: step.job_id in job_ids)
        return sorted(found, key=lambda step: (step.job_id, step.position))


class MemoryAttempts(MemoryRepository[Attempt]):
    """See `application.ports.studio.Attempts`."""

    def __init__(self, table: Table[Attempt], *, jobs: MemoryJobs) -> None:
        super().__init__(table)
        self._jobs = jobs

    async def of_job(self, job_id: UUID) -> list[Attempt]:
        return await self.of_jobs([job_id])

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Attempt]:
        found = self._where(lambda attempt: attempt.job_id in job_ids)
        return sorted(found, key=lambda attempt: (attempt.created_at, attempt.id))

    async def of_request(self, provider: str, request_id: str) -> Attempt | None:
        key = (provider, request_id)
        return next(self._where(lambda a: (a.provider, a.request_id) == key), None)

    async def take_due(self, *, now: datetime, lease_until: datetime, limit: int) -> Sequence[UUID]:
        watched = self._where(lambda attempt: attempt.status in _WATCHED)
        due = [(a.next_check_at, a) for a in watched if a.next_check_at and a.next_check_at <= now]
        taken = [attempt for _, attempt in sorted(due, key=lambda pair: pair[0])[:limit]]
        for attempt in taken:
            attempt.next_check_at = lease_until
        return [attempt.id for attempt in taken]

    async def expired_jobs(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        expired = self._jobs._where(lambda job: job.is_open and job.expires_at <= now)
        return [job.id for job in sorted(expired, key=lambda job: job.expires_at)][:limit]


class MemoryLikenessModels(MemoryRepository[LikenessModel]):
    """See `application.ports.studio.LikenessModels`. There is nobody to hold a row against."""

    def __init__(
        self,
        table: Table[LikenessModel],
        *,
        jobs: MemoryJobs,
        generations: MemoryRepository[Generation],
    ) -> None:
        super().__init__(table)
        self._jobs = jobs
        self._generations = generations

    async def next_version(self, creator_id: UUID) -> int:
        return 1 + max((one.version for one in await self.of_creator(creator_id)), default=0)

    async def usable(self, model_id: UUID) -> LikenessModel:
        return await self.get(model_id)

    async def in_force(self, creator_id: UUID) -> LikenessModel | None:
        return next((one for one in await self.of_creator(creator_id) if one.in_force), None)

    async def newest_ready(
        self, creator_id: UUID, *, among: Collection[str]
    ) -> LikenessModel | None:
        every = await self.of_creator(creator_id)
        ready = [model for model in every if model.is_ready and str(model.id) in among]
        return max(ready, key=lambda model: model.version, default=None)

    async def put_in_force(self, model: LikenessModel) -> bool:
        if not model.is_ready:
            return False
        for one in await self.of_creator(model.creator_id):
            one.in_force = one.id == model.id
        return True

    async def of_creator(self, creator_id: UUID, *, lock: bool = False) -> list[LikenessModel]:
        found = self._where(lambda model: model.creator_id == creator_id)
        return sorted(found, key=lambda model: model.id)

    async def open_jobs(self, model_id: UUID) -> list[UUID]:
        made = self._generations._where(lambda one: one.model_id == model_id)
        ids = {model_id, *(one.id for one in made)}
        return sorted(
            job.id for job in self._jobs._where(lambda job: job.id in ids and job.is_open)
        )
