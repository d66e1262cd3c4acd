"""Keeping jobs, their steps and attempts, whose turn it is, and what they are about."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.live import JobEvent
from application.ports.repository import Repository
from domain.creators.likeness_model import DeletionReason, LikenessModel, ModelStatus
from domain.creators.training_set import TrainingImage
from domain.licensing.record import DecisionRecord
from domain.media.asset import Media
from domain.studio.attempt import Attempt
from domain.studio.circuit import Circuit
from domain.studio.generation import Generation, Mode
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind, StepType
from domain.studio.step import Step, StepStatus
from domain.studio.turns import Waiting

Decisions = Repository[DecisionRecord]
Generations = Repository[Generation]


class Jobs(Repository[Job], Protocol):
    async def log(self, event: JobEvent, *, at: datetime) -> None:
        """Keep an event of a job; committed with the change that it tells of. The lock of the job
        guards its `seq`: a number is given once, and the commit fails where it is not."""
        ...

    async def locked(self, job_ids: Collection[UUID]) -> list[Job]:
        """Those that exist, by id; each is locked, in that order."""
        ...


class Steps(Repository[Step], Protocol):
    """Whoever changes a step holds the lock of its job."""

    async def of_job(self, job_id: UUID) -> list[Step]:
        """By position."""
        ...

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Step]:
        """By job and position."""
        ...


class Turns(Protocol):
    """Who waits for a place at an engine, and who has one."""

    async def lock(self) -> None:
        """One transaction at a time gives turns, so that no place is given twice."""
        ...

    async def waiting(self, *, now: datetime, per_user: int, limit: int) -> list[Waiting]:
        """Ready steps of open jobs whose time has come: the oldest few of every user, those of
        higher priority and of users who were served longest ago first."""
        ...

    async def in_flight(self) -> Mapping[str, int]:
        """Attempts that hold a place, by provider."""
        ...

    async def started(self, owner_ids: Collection[UUID]) -> Mapping[UUID, int]:
        """Jobs under way, by owner."""
        ...

    async def served(self, owner_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        """When each was last given a turn."""
        ...

    async def serve(self, owner_ids: Collection[UUID], *, at: datetime) -> None: ...


class Circuits(Repository[Circuit], Protocol):
    async def opened(self, circuit: Circuit) -> Circuit:
        """The one of that engine, locked: this one, unless somebody else has just made it."""
        ...

    async def unclean(self) -> list[Circuit]:
        """Those that have failed lately, locked, by id."""
        ...

    async def of_engine(self, provider: str, model: str) -> Circuit | None:
        """Locked, where there is one."""
        ...


class Attempts(Repository[Attempt], Protocol):
    async def of_job(self, job_id: UUID) -> list[Attempt]:
        """In the order in which they were planned."""
        ...

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Attempt]: ...

    async def of_request(self, provider: str, request_id: str) -> Attempt | None: ...

    async def take_due(self, *, now: datetime, lease_until: datetime, limit: int) -> Sequence[UUID]:
        """Attempts to look at, and put them off until `lease_until`: nobody else takes them."""
        ...

    async def expired_jobs(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        """Open jobs that have outlived their time."""
        ...


class LikenessModels(Repository[LikenessModel], Protocol):
    """Whoever means to change several of a creator's locks all of them, in the order of ids."""

    async def next_version(self, creator_id: UUID) -> int:
        """The number of the creator's next version; nobody else is told the same."""
        ...

    async def usable(self, model_id: UUID) -> LikenessModel:
        """Held as it is until the transaction ends, by any number of readers together. Raises
        NotFound."""
        ...

    async def in_force(self, creator_id: UUID) -> LikenessModel | None:
        """The version that is used where none is named; held as `usable` holds it."""
        ...

    async def newest_ready(
        self, creator_id: UUID, *, among: Collection[str]
    ) -> LikenessModel | None:
        """The newest version that is ready, of those with these ids; held as `usable` holds it."""
        ...

    async def put_in_force(self, model: LikenessModel) -> bool:
        """Take force from the version that has it, and give it to this one, which is ready. The
        caller holds all of the creator's."""
        ...

    async def of_creator(self, creator_id: UUID, *, lock: bool = False) -> list[LikenessModel]:
        """All of them, by id."""
        ...

    async def open_jobs(self, model_id: UUID) -> list[UUID]:
        """Jobs under way that work with it: its own training, and generations."""
        ...


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    media: Media
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    preview_key: str | None
    thumbnail_key: str | None


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    type: StepType
    lane: int
    status: StepStatus
    progress: int
    credits: int
    error_code: str | None
    started_at: datetime | None
    finished_at: datetime | None


class GenerationRow(msgspec.Struct, frozen=True, kw_only=True):
    """`held` is what its present round may cost, `spent` what all of its rounds have cost;
    `in_review` counts the results that wait for a moderator."""

    id: UUID
    creator_id: UUID | None
    character_id: UUID | None
    kind: JobKind
    status: JobStatus
    partial: bool
    progress: int
    current_step: str
    mode: Mode
    prompt: str
    model_id: UUID | None
    model_version: int | None
    count: int
    seed: int
    project_id: UUID | None
    preset_id: UUID | None
    template_id: UUID | None
    error_code: str | None
    error_message: str | None
    terms_id: UUID | None
    terms_version: int | None
    terms_hash: str | None
    created_at: datetime
    held: int
    spent: int
    in_review: int
    results: Sequence[ResultRow] = ()
    steps: Sequence[StepRow] = ()


class GenerationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None leaves open."""

    kind: JobKind | None = None
    status: JobStatus | None = None
    project_id: UUID | None = None
    character_id: UUID | None = None


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    creator_id: UUID
    version: int
    status: ModelStatus
    in_force: bool
    trigger_word: str
    base_model: str
    steps: int
    training_set: Sequence[TrainingImage]
    manifest_hash: str
    provider: str | None
    trainer: str | None
    weights_sha256: str | None
    weights_bytes: int | None
    terms_id: UUID
    terms_version: int
    terms_hash: str
    job_status: JobStatus
    progress: int
    error_code: str | None
    error_message: str | None
    created_at: datetime
    ready_at: datetime | None
    deleted_at: datetime | None
    deletion_reason: DeletionReason | None


class StudioViews(Protocol):
    async def generation(self, generation_id: UUID, *, owner_id: UUID) -> GenerationRow:
        """Raises NotFound, also for another owner's."""
        ...

    async def generations(
        self,
        owner_id: UUID,
        *,
        only: GenerationFilter,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[GenerationRow]:
        """The newest first, from after the (created_at, id) of the page before."""
        ...

    async def model(self, model_id: UUID, *, creator_id: UUID) -> ModelRow:
        """Raises NotFound, also for another creator's."""
        ...

    async def models(
        self, creator_id: UUID, *, before_version: int | None, limit: int
    ) -> list[ModelRow]:
        """The newest first, from below the version that the page before ended with."""
        ...

    async def weights_kept(self, ids: Collection[UUID]) -> set[str]:
        """What is needed below `models/`: weights that a version has, and those that a training
        with one of these ids is about to store."""
        ...

    async def work_kept(self, ids: Collection[UUID], *, ended_after: datetime) -> set[str]:
        """What is needed below `work/`: what these jobs work with, where they are under way, or
        would go on with, where they were broken off after `ended_after`."""
        ...

    async def answers_kept(self, ids: Collection[UUID], *, ended_after: datetime) -> set[str]:
        """The same of what came in the answers to these attempts."""
        ...
