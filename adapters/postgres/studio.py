"""Jobs, their attempts, and what they are about: generations, models, decisions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    cast,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.live_events import job_event_kept
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from application.ports.live import JobEvent
from domain.creators.likeness_model import LikenessModel
from domain.licensing.decision import Decision
from domain.licensing.record import DecisionPoint, DecisionRecord
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms, Purpose
from domain.licensing.use import Use
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.generation import Generation, Mode
from domain.studio.job import OPEN, Job, JobKind, JobStatus

_OPEN_SQL = ", ".join(f"'{status}'" for status in OPEN)
_WATCHED = (AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN, AttemptStatus.ACTIVE)


def _of_job(name: str = "job_id", *, primary_key: bool = False) -> Column[UUID]:
    """Checked at commit, for rows added together are written in no particular order."""
    job = ForeignKey("jobs.id", deferrable=True, initially="DEFERRED")
    return Column(name, job, nullable=False, primary_key=primary_key)


def _under_terms() -> list[Column[UUID] | Column[int] | Column[str]]:
    return [
        Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
        Column("terms_version", Integer, nullable=False),
        text("terms_hash"),
    ]


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
    text("error_code", nullable=True),
    text("error_message", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("finished_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    CheckConstraint(f"(finished_at IS NULL) = (status IN ({_OPEN_SQL}))", name="finished"),
    Index("ix_jobs_open", "expires_at", postgresql_where=f"status IN ({_OPEN_SQL})"),
)

attempts = Table(
    "attempts",
    metadata,
    id_column(),
    _of_job(),
    Column("round", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    enum_text("status", AttemptStatus),
    text("provider", nullable=True),
    text("request_id", nullable=True),
    instant("created_at"),
    instant("submitted_at", nullable=True),
    instant("next_check_at", nullable=True),
    json_of("output_urls", tuple[str, ...]),
    text("weights_url", nullable=True),
    Column("seed", BigInteger, nullable=True),
    json_of("asset_ids", tuple[UUID, ...]),
    text("error_code", nullable=True),
    text("error_message", nullable=True),
    UniqueConstraint("job_id", "round", "number"),
    UniqueConstraint("provider", "request_id"),
    CheckConstraint("request_id IS NULL OR provider IS NOT NULL", name="request_of_provider"),
    CheckConstraint("(provider IS NULL) = (submitted_at IS NULL)", name="submitted"),
    Index("ix_attempts_watched", "next_check_at", postgresql_where="next_check_at IS NOT NULL"),
)

generations = Table(
    "generations",
    metadata,
    _of_job("id", primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("model_id", ForeignKey("likeness_models.id"), nullable=False),
    enum_text("mode", Mode),
    text("prompt"),
    enum_text("purpose", Purpose),
    Column("scene_asset_id", Uuid, nullable=True),
    Column("seed", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    *_under_terms(),
    instant("created_at"),
    CheckConstraint("(mode = 'photo') = (scene_asset_id IS NOT NULL)", name="scene"),
    Index("ix_generations_owner", "owner_id", "created_at", "id"),
)

likeness_models = Table(
    "likeness_models",
    metadata,
    _of_job("id", primary_key=True),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    text("trigger_word"),
    json_of("asset_ids", tuple[UUID, ...]),
    Column("steps", Integer, nullable=False),
    text("weights_key", nullable=True),
    *_under_terms(),
    Column("consent_id", ForeignKey("consents.id"), nullable=False),
    instant("created_at"),
    instant("erased_at", nullable=True),
    CheckConstraint("erased_at IS NULL OR weights_key IS NULL", name="erased_has_no_weights"),
    Index("ix_likeness_models_creator", "creator_id", "created_at"),
)

licence_decisions = Table(
    "licence_decisions",
    metadata,
    id_column(),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("actor_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=True),
    enum_text("point", DecisionPoint),
    json_of("use", Use),
    json_of("decision", Decision),
    *_under_terms(),
    json_of("sublicence", LicenceTerms, nullable=True),
    Column("parties", JsonOf(tuple[Party, ...]), nullable=False, server_default="[]"),
    instant("decided_at"),
    Index("ix_licence_decisions_creator", "creator_id", "decided_at"),
)

mappers.map_imperatively(Job, jobs, version_id_col=jobs.c.version)
mappers.map_imperatively(Attempt, attempts)
mappers.map_imperatively(Generation, generations)
mappers.map_imperatively(LikenessModel, likeness_models)
mappers.map_imperatively(DecisionRecord, licence_decisions)


class PostgresJobs(PostgresRepository[Job]):
    """See `application.ports.studio.Jobs`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Job, kind="job")

    async def log(self, event: JobEvent, *, at: datetime) -> None:
        await self._session.execute(job_event_kept(event, at=at))


class PostgresAttempts(PostgresRepository[Attempt]):
    """See `application.ports.studio.Attempts`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Attempt, kind="attempt")

    async def of_job(self, job_id: UUID) -> list[Attempt]:
        return await self._many(
            select(Attempt)
            .where(attempts.c.job_id == job_id)
            .order_by(attempts.c.round, attempts.c.number)
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


class PostgresGenerations(PostgresRepository[Generation]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Generation, kind="generation")


class PostgresLikenessModels(PostgresRepository[LikenessModel]):
    """See `application.ports.studio.LikenessModels`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, LikenessModel, kind="likeness model")

    async def newest_ready(
        self, creator_id: UUID, *, among: Collection[str] | None = None
    ) -> LikenessModel | None:
        ready = select(LikenessModel).where(
            likeness_models.c.creator_id == creator_id,
            likeness_models.c.weights_key.is_not(None),
        )
        if among is not None:
            ready = ready.where(cast(likeness_models.c.id, Text).in_(among))
        return await self._one(
            ready.order_by(likeness_models.c.created_at.desc(), likeness_models.c.id.desc()).limit(
                1
            )
        )

    async def of_creator(self, creator_id: UUID) -> list[LikenessModel]:
        return await self._many(
            select(LikenessModel)
            .where(likeness_models.c.creator_id == creator_id)
            .order_by(likeness_models.c.id)
            .with_for_update()
        )


class PostgresDecisions(PostgresRepository[DecisionRecord]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, DecisionRecord, kind="decision")
