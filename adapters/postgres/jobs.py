"""Jobs, their steps and attempts; who was served when, and how engines fare."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.live_events import KEEP_JOB_EVENT, job_event_row
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from application.ports.live import JobEvent
from domain.studio.attempt import IN_FLIGHT, Attempt, AttemptOutput, AttemptStatus
from domain.studio.circuit import Circuit
from domain.studio.failures import FailureClass
from domain.studio.job import OPEN, STARTED, Job, JobStatus
from domain.studio.pipelines import JobKind, StepType
from domain.studio.step import Step, StepResult, StepStatus

_OPEN_SQL = ", ".join(f"'{status}'" for status in OPEN)
_STARTED_SQL = ", ".join(f"'{status}'" for status in STARTED)
_IN_FLIGHT_SQL = ", ".join(f"'{status}'" for status in IN_FLIGHT)
_WATCHED = (AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN, AttemptStatus.ACTIVE)


def of_job(name: str = "job_id", *, primary_key: bool = False) -> Column[UUID]:
    """Checked at commit, for rows added together are written in no particular order."""
    job = ForeignKey("jobs.id", deferrable=True, initially="DEFERRED")
    return Column(name, job, nullable=False, primary_key=primary_key)


jobs = Table(
    "jobs",
    metadata,
    id_column(),
    enum_text("kind", JobKind),
    Column("owner_id", Uuid, nullable=False),
    enum_text("status", JobStatus),
    Column("progress", Integer, nullable=False),
    text("current_step"),
    Column("seq", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("concurrency", Integer, nullable=False, server_default="1"),
    Column("partial", Boolean, nullable=False, server_default="false"),
    text("error_code", nullable=True),
    text("error_message", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("finished_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint("concurrency > 0", name="concurrency"),
    CheckConstraint("NOT partial OR status = 'succeeded'", name="partial_has_succeeded"),
    CheckConstraint(f"(finished_at IS NULL) = (status IN ({_OPEN_SQL}))", name="finished"),
    Index("ix_jobs_open", "expires_at", postgresql_where=f"status IN ({_OPEN_SQL})"),
    Index("ix_jobs_started", "owner_id", postgresql_where=f"status IN ({_STARTED_SQL})"),
)

steps = Table(
    "steps",
    metadata,
    id_column(),
    of_job(),
    Column("position", Integer, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    enum_text("type", StepType),
    text("request", nullable=True),
    enum_text("status", StepStatus),
    Column("progress", Integer, nullable=False),
    text("input_hash", nullable=True),
    json_of("results", tuple[StepResult, ...]),
    json_of("result_ids", tuple[UUID, ...]),
    instant("ready_at", nullable=True),
    instant("started_at", nullable=True),
    instant("finished_at", nullable=True),
    text("error_code", nullable=True),
    Column("credits", Integer, nullable=False),
    Column("charged", Boolean, nullable=False),
    UniqueConstraint("job_id", "position"),
    CheckConstraint("credits >= 0", name="credits"),
    CheckConstraint("NOT charged OR status = 'succeeded'", name="charged_is_done"),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint("(ready_at IS NOT NULL) = (status = 'ready')", name="ready"),
    CheckConstraint("status <> 'ready' OR request IS NOT NULL", name="turn_of_engine"),
    Index("ix_steps_ready", "ready_at", postgresql_where="status = 'ready'"),
)

attempts = Table(
    "attempts",
    metadata,
    id_column(),
    of_job(),
    Column(
        "step_id", ForeignKey("steps.id", deferrable=True, initially="DEFERRED"), nullable=False
    ),
    Column("round", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    enum_text("status", AttemptStatus),
    text("provider"),
    text("model"),
    text("input_hash"),
    text("request_id", nullable=True),
    instant("created_at"),
    instant("submitted_at", nullable=True),
    instant("next_check_at", nullable=True),
    json_of("outputs", tuple[AttemptOutput, ...]),
    Column("seed", BigInteger, nullable=True),
    Column("billed_units", Float, nullable=True),
    text("error_code", nullable=True),
    text("error_message", nullable=True),
    enum_text("failure", FailureClass, nullable=True),
    UniqueConstraint("step_id", "round", "number"),
    UniqueConstraint("provider", "request_id"),
    CheckConstraint("request_id IS NULL OR submitted_at IS NOT NULL", name="submitted"),
    Index("ix_attempts_job_id", "job_id"),
    Index("ix_attempts_watched", "next_check_at", postgresql_where="next_check_at IS NOT NULL"),
    Index("ix_attempts_in_flight", "provider", postgresql_where=f"status IN ({_IN_FLIGHT_SQL})"),
)

studio_turns = Table(
    "studio_turns",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    instant("served_at"),
)

engine_circuits = Table(
    "engine_circuits",
    metadata,
    id_column(),
    text("provider"),
    text("model"),
    Column("failures", Integer, nullable=False),
    instant("counted_since", nullable=True),
    instant("open_until", nullable=True),
    instant("probed_at", nullable=True),
    UniqueConstraint("provider", "model"),
)

mappers.map_imperatively(Job, jobs, version_id_col=jobs.c.version)
mappers.map_imperatively(Step, steps)
mappers.map_imperatively(Attempt, attempts)
mappers.map_imperatively(Circuit, engine_circuits)


class PostgresJobs(PostgresRepository[Job]):
    """See `application.ports.studio.Jobs`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Job, kind="job")

    async def log(self, event: JobEvent, *, at: datetime) -> None:
        await self._session.execute(KEEP_JOB_EVENT, job_event_row(event, at=at))

    async def locked(self, job_ids: Collection[UUID]) -> list[Job]:
        if not job_ids:
            return []
        statement = select(Job).where(jobs.c.id.in_(job_ids)).order_by(jobs.c.id)
        return await self._many(
            statement.with_for_update().execution_options(populate_existing=True)
        )


class PostgresSteps(PostgresRepository[Step]):
    """See `application.ports.studio.Steps`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Step, kind="step")

    async def of_job(self, job_id: UUID) -> list[Step]:
        return await self.of_jobs([job_id])

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Step]:
        if not job_ids:
            return []
        return await self._many(
            select(Step)
            .where(steps.c.job_id.in_(job_ids))
            .order_by(steps.c.job_id, steps.c.position)
            .execution_options(populate_existing=True)
        )


class PostgresAttempts(PostgresRepository[Attempt]):
    """See `application.ports.studio.Attempts`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Attempt, kind="attempt")

    async def of_job(self, job_id: UUID) -> list[Attempt]:
        return await self.of_jobs([job_id])

    async def of_jobs(self, job_ids: Collection[UUID]) -> list[Attempt]:
        if not job_ids:
            return []
        return await self._many(
            select(Attempt)
            .where(attempts.c.job_id.in_(job_ids))
            .order_by(attempts.c.created_at, attempts.c.id)
            .execution_options(populate_existing=True)
        )

    async def of_request(self, provider: str, request_id: str) -> Attempt | None:
        return await self._one(
            select(Attempt).where(
                attempts.c.provider == provider, attempts.c.request_id == request_id
            )
        )

    async def take_due(self, *, now: datetime, lease_until: datetime, limit: int) -> Sequence[UUID]:
        due = (
            select(attempts.c.id)
            .where(attempts.c.next_check_at <= now, attempts.c.status.in_(_WATCHED))
            .order_by(attempts.c.next_check_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = await self._session.scalars(
            update(attempts)
            .where(attempts.c.id.in_(due))
            .values(next_check_at=lease_until)
            .returning(attempts.c.id)
            .execution_options(synchronize_session=False)
        )
        return taken.all()

    async def expired_jobs(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        found = await self._session.scalars(
            select(jobs.c.id)
            .where(jobs.c.expires_at <= now, jobs.c.status.in_(OPEN))
            .order_by(jobs.c.expires_at)
            .limit(limit)
        )
        return found.all()
