"""What jobs are about: generations, models, and the decisions that allowed them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    union,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.jobs import jobs, of_job
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.creators.likeness_model import (
    DeletionReason,
    LikenessModel,
    ModelDeleted,
    ModelStatus,
)
from domain.creators.training_set import TrainingImage
from domain.licensing.decision import Decision
from domain.licensing.record import DecisionPoint, DecisionRecord
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms, Purpose
from domain.licensing.use import Use
from domain.shared.errors import NotFound
from domain.studio.generation import Generation, Mode, ModelNotReady, Motion, Speech
from domain.studio.job import OPEN
from domain.studio.pipelines import JobKind

_NUMBERING = sql(
    "SELECT pg_advisory_xact_lock(hashtextextended('likeness model ' || :creator_id, 0))"
)
"""One training of a creator after the other is given its number."""


def _under_terms(*, nullable: bool = False) -> list[Column[UUID] | Column[int] | Column[str]]:
    return [
        Column("terms_id", ForeignKey("licence_terms.id"), nullable=nullable),
        Column("terms_version", Integer, nullable=nullable),
        text("terms_hash", nullable=nullable),
    ]


generations = Table(
    "generations",
    metadata,
    of_job("id", primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("creator_id", ForeignKey("creators.id"), nullable=True),
    Column("model_id", ForeignKey("likeness_models.id"), nullable=True),
    enum_text("kind", JobKind),
    enum_text("mode", Mode),
    text("prompt"),
    enum_text("purpose", Purpose),
    Column("scene_asset_id", Uuid, nullable=True),
    Column("source_asset_id", Uuid, nullable=True),
    Column("audio_asset_id", Uuid, nullable=True),
    json_of("speech", Speech, nullable=True),
    json_of("motion", Motion),
    Column("count", Integer, nullable=False),
    Column("upscale", Integer, nullable=True),
    Column("seed", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("project_id", Uuid, nullable=True),
    Column("preset_id", Uuid, nullable=True),
    Column("template_id", Uuid, nullable=True),
    Column("character_id", ForeignKey("characters.id"), nullable=True),
    Column("reference_ids", JsonOf(tuple[UUID, ...]), nullable=False),
    *_under_terms(nullable=True),
    instant("created_at"),
    Column("clean_for_owner", Boolean, nullable=False),
    instant("deleted_at", nullable=True),
    CheckConstraint("(mode = 'photo') = (scene_asset_id IS NOT NULL)", name="scene"),
    CheckConstraint("count BETWEEN 1 AND 4", name="count"),
    CheckConstraint("upscale IS NULL OR (upscale IN (2, 4) AND kind = 'image')", name="upscale"),
    CheckConstraint("kind <> 'training'", name="kind"),
    CheckConstraint(
        "(creator_id IS NULL) = (jsonb_array_length(reference_ids) > 0)",
        name="creator_or_character",
    ),
    CheckConstraint("creator_id IS NOT NULL OR character_id IS NOT NULL", name="whom_it_shows"),
    CheckConstraint(
        "num_nulls(creator_id, terms_id, terms_version, terms_hash) IN (0, 4)", name="licence"
    ),
    CheckConstraint("creator_id IS NOT NULL OR model_id IS NULL", name="model_of_creator"),
    Index(
        "ix_generations_character",
        "character_id",
        "created_at",
        "id",
        postgresql_where="character_id IS NOT NULL",
    ),
    Index("ix_generations_owner", "owner_id", "created_at", "id"),
    Index("ix_generations_model_id", "model_id", postgresql_where="model_id IS NOT NULL"),
    Index(
        "ix_generations_project",
        "project_id",
        "created_at",
        "id",
        postgresql_where="project_id IS NOT NULL",
    ),
)

likeness_models = Table(
    "likeness_models",
    metadata,
    of_job("id", primary_key=True),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("version", Integer, nullable=False),
    enum_text("status", ModelStatus),
    Column("in_force", Boolean, nullable=False),
    Column("takes_force", Boolean, nullable=False),
    text("trigger_word"),
    text("base_model"),
    Column("steps", Integer, nullable=False),
    json_of("training_set", tuple[TrainingImage, ...]),
    text("manifest_hash"),
    text("provider", nullable=True),
    text("trainer", nullable=True),
    text("weights_key", nullable=True),
    text("weights_sha256", nullable=True),
    Column("weights_bytes", BigInteger, nullable=True),
    *_under_terms(),
    Column("consent_id", ForeignKey("consents.id"), nullable=False),
    instant("created_at"),
    instant("ready_at", nullable=True),
    instant("deleted_at", nullable=True),
    Column("deleted_by", Uuid, nullable=True),
    enum_text("deletion_reason", DeletionReason, nullable=True),
    UniqueConstraint("creator_id", "version"),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint(
        "(weights_key IS NOT NULL) = (status IN ('ready', 'retired'))", name="weights_of_trained"
    ),
    CheckConstraint(
        "weights_key IS NULL OR weights_sha256 IS NOT NULL AND provider IS NOT NULL",
        name="weights_are_known",
    ),
    CheckConstraint("NOT in_force OR status = 'ready'", name="ready_in_force"),
    CheckConstraint(
        "(status = 'deleted') = (deleted_at IS NOT NULL) AND (status = 'deleted') = "
        "(deleted_by IS NOT NULL) AND (status = 'deleted') = (deletion_reason IS NOT NULL)",
        name="tombstone_says_why",
    ),
    CheckConstraint(
        "status <> 'deleted' OR training_set = '[]' AND trigger_word = ''",
        name="tombstone_is_empty",
    ),
    Index(
        "uq_likeness_models_in_force",
        "creator_id",
        unique=True,
        postgresql_where="in_force",
    ),
)
"""Triggers besides: a tombstone is never changed, and no generation begins without a ready one."""

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

on_violation(
    "ck_generations_model_ready",
    lambda: ModelNotReady("The likeness model is not ready to be used."),
)
on_violation(
    "ck_likeness_models_tombstones_stand",
    lambda: ModelDeleted("This version of the likeness model has been deleted."),
)

mappers.map_imperatively(Generation, generations)
mappers.map_imperatively(LikenessModel, likeness_models)
mappers.map_imperatively(DecisionRecord, licence_decisions)


class PostgresGenerations(PostgresRepository[Generation]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Generation, kind="generation")


_IN_FORCE = (
    select(LikenessModel)
    .where(likeness_models.c.creator_id == bindparam("creator_id"), likeness_models.c.in_force)
    .with_for_update(read=True)
    .execution_options(populate_existing=True)
)


class PostgresLikenessModels(PostgresRepository[LikenessModel]):
    """See `application.ports.studio.LikenessModels`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, LikenessModel, kind="likeness model")

    async def next_version(self, creator_id: UUID) -> int:
        await self._session.execute(_NUMBERING, {"creator_id": str(creator_id)})
        newest = select(func.max(likeness_models.c.version)).where(
            likeness_models.c.creator_id == creator_id
        )
        return (await self._session.scalar(newest) or 0) + 1

    async def usable(self, model_id: UUID) -> LikenessModel:
        found = await self._held(select(LikenessModel).where(likeness_models.c.id == model_id))
        if found is None:
            raise NotFound("likeness model", model_id)
        return found

    async def in_force(self, creator_id: UUID) -> LikenessModel | None:
        # Who waited for a row that lost its force meanwhile sees none: look who has it now.
        for _ in range(2):
            if found := await self._one(_IN_FORCE, creator_id=creator_id):
                return found
        return None

    async def newest_ready(
        self, creator_id: UUID, *, among: Collection[str]
    ) -> LikenessModel | None:
        return await self._held(
            select(LikenessModel)
            .where(
                likeness_models.c.creator_id == creator_id,
                likeness_models.c.status == ModelStatus.READY,
                cast(likeness_models.c.id, Text).in_(among),
            )
            .order_by(likeness_models.c.version.desc())
            .limit(1)
        )

    async def put_in_force(self, model: LikenessModel) -> bool:
        await self._session.flush()
        await self._session.execute(
            update(LikenessModel)
            .where(likeness_models.c.creator_id == model.creator_id, likeness_models.c.in_force)
            .values(in_force=False)
        )
        given = await self._session.execute(
            update(LikenessModel)
            .where(likeness_models.c.id == model.id, likeness_models.c.status == ModelStatus.READY)
            .values(in_force=True)
            .returning(likeness_models.c.id)
        )
        return given.one_or_none() is not None

    async def of_creator(self, creator_id: UUID, *, lock: bool = False) -> list[LikenessModel]:
        statement = (
            select(LikenessModel)
            .where(likeness_models.c.creator_id == creator_id)
            .order_by(likeness_models.c.id)
        )
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return await self._many(statement)

    async def open_jobs(self, model_id: UUID) -> list[UUID]:
        with_it = union(
            select(generations.c.id).where(generations.c.model_id == model_id),
            select(likeness_models.c.id).where(likeness_models.c.id == model_id),
        ).subquery()
        found = await self._session.scalars(
            select(jobs.c.id)
            .where(jobs.c.id.in_(select(with_it.c.id)), jobs.c.status.in_(OPEN))
            .order_by(jobs.c.id)
        )
        return list(found)

    async def _held(self, statement: Select[LikenessModel]) -> LikenessModel | None:
        """As it is when the lock is had; it stays so until the transaction ends."""
        return await self._one(
            statement.with_for_update(read=True).execution_options(populate_existing=True)
        )


class PostgresDecisions(PostgresRepository[DecisionRecord]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, DecisionRecord, kind="decision")
