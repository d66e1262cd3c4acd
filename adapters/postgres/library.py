"""Projects, characters, templates and presets."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import relationship, selectinload

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.shared.errors import NotFound
from domain.studio.character import ADULT_AGE, Character, Gender, Reference
from domain.studio.preset import Camera, Preset
from domain.studio.project import Project
from domain.studio.template import Template, Variable


def _lifetime() -> list[Column[Any]]:
    return [
        instant("created_at"),
        instant("updated_at"),
        instant("deleted_at", nullable=True),
        Column("version", Integer, nullable=False),
    ]


def _work() -> list[Column[str]]:
    return [text("name"), text("description"), text("category")]


projects = Table(
    "projects",
    metadata,
    id_column(),
    Column("owner_id", Uuid, nullable=False),
    Column("team_id", ForeignKey("teams.id", ondelete="SET NULL"), nullable=True),
    text("name"),
    text("description"),
    *_lifetime(),
    CheckConstraint("deleted_at IS NULL OR team_id IS NULL", name="tombstone_of_nobodys_team"),
    Index(
        "ix_projects_personal",
        "owner_id",
        "id",
        postgresql_where="team_id IS NULL AND deleted_at IS NULL",
    ),
    Index("ix_projects_team", "team_id", "id", postgresql_where="team_id IS NOT NULL"),
)

characters = Table(
    "characters",
    metadata,
    id_column(),
    Column("owner_id", Uuid, nullable=False),
    Column("creator_id", ForeignKey("creators.id"), nullable=True),
    *_work(),
    enum_text("gender", Gender),
    Column("age", Integer, nullable=False),
    text("style"),
    *_lifetime(),
    CheckConstraint(f"age >= {ADULT_AGE}", name="adult"),
    Index("ix_characters_own", "owner_id", "id", postgresql_where="deleted_at IS NULL"),
    Index("ix_characters_creator", "creator_id", postgresql_where="creator_id IS NOT NULL"),
)

character_references = Table(
    "character_references",
    metadata,
    Column("character_id", ForeignKey("characters.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    CheckConstraint("position BETWEEN 0 AND 3", name="at_most_four"),
    Index(None, "asset_id"),
)
"""While a character shows an image, that cannot be deleted."""

templates = Table(
    "prompt_templates",
    metadata,
    id_column(),
    Column("owner_id", Uuid, nullable=False),
    *_work(),
    text("prompt"),
    json_of("variables", tuple[Variable, ...]),
    *_lifetime(),
    Index("ix_prompt_templates_own", "owner_id", "id", postgresql_where="deleted_at IS NULL"),
)

presets = Table(
    "presets",
    metadata,
    id_column(),
    Column("owner_id", Uuid, nullable=True),
    *_work(),
    enum_text("camera", Camera),
    Column("motion", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    text("style"),
    Column("driving_asset_id", ForeignKey("assets.id"), nullable=True),
    *_lifetime(),
    CheckConstraint("motion BETWEEN 1 AND 255", name="motion"),
    CheckConstraint("duration_ms > 0", name="duration"),
    Index("ix_presets_own", "owner_id", "id", postgresql_where="deleted_at IS NULL"),
    Index(None, "driving_asset_id"),
)

mappers.map_imperatively(Project, projects, version_id_col=projects.c.version)
mappers.map_imperatively(Reference, character_references)
mappers.map_imperatively(
    Character,
    characters,
    version_id_col=characters.c.version,
    properties={
        "references": relationship(
            Reference,
            lazy="raise",
            order_by=character_references.c.position,
            cascade="all, delete-orphan",
        )
    },
)
mappers.map_imperatively(Template, templates, version_id_col=templates.c.version)
mappers.map_imperatively(Preset, presets, version_id_col=presets.c.version)


class PostgresProjects(PostgresRepository[Project]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Project, kind="project")


class PostgresCharacters(PostgresRepository[Character]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Character, kind="character")

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> Character:
        statement = (
            select(Character)
            .where(characters.c.id == aggregate_id)
            .options(selectinload(Character.references))  # type: ignore[arg-type]
            .execution_options(populate_existing=lock)
        )
        found = await self._one(statement.with_for_update() if lock else statement)
        if found is None:
            raise NotFound(self._kind, aggregate_id)
        return found


class PostgresTemplates(PostgresRepository[Template]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Template, kind="template")


class PostgresPresets(PostgresRepository[Preset]):
    """See `application.ports.library.Presets`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Preset, kind="preset")

    async def existing(self, preset_ids: Collection[UUID]) -> set[UUID]:
        found = await self._session.scalars(
            select(presets.c.id).where(presets.c.id.in_(preset_ids))
        )
        return set(found)
