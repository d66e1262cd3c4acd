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
    Table,
    Text,
    Uuid,
    cast,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.jobs import of_job
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.creators.likeness_model import LikenessModel
from domain.licensing.decision import Decision
from domain.licensing.record import DecisionPoint, DecisionRecord
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms, Purpose
from domain.licensing.use import Use
from domain.studio.generation import Generation, Mode, Motion, Speech
from domain.studio.pipelines import JobKind


def _under_terms() -> list[Column[UUID] | Column[int] | Column[str]]:
    return [
        Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
        Column("terms_version", Integer, nullable=False),
        text("terms_hash"),
    ]


generations = Table(
    "generations",
    metadata,
    of_job("id", primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
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
    Column("seed", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("project_id", Uuid, nullable=True),
    Column("preset_id", Uuid, nullable=True),
    Column("template_id", Uuid, nullable=True),
    *_under_terms(),
    instant("created_at"),
    Column("clean_for_owner", Boolean, nullable=False),
    instant("deleted_at", nullable=True),
    CheckConstraint("(mode = 'photo') = (scene_asset_id IS NOT NULL)", name="scene"),
    CheckConstraint("count BETWEEN 1 AND 4", name="count"),
    CheckConstraint("kind <> 'training'", name="kind"),
    Index("ix_generations_owner", "owner_id", "created_at", "id"),
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

mappers.map_imperatively(Generation, generations)
mappers.map_imperatively(LikenessModel, likeness_models)
mappers.map_imperatively(DecisionRecord, licence_decisions)


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
