"""Assets and the grants of their clean copies."""

from collections.abc import Collection
from datetime import datetime
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
    Uuid,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from adapters.postgres.studio import generations
from application.ports.media import CleanGrant
from domain.media.asset import Asset, AssetInUse, AssetPurpose, AssetState, Media
from domain.media.looks import Looks

_FOREIGN_KEY_VIOLATION = "23503"

assets = Table(
    "assets",
    metadata,
    id_column(),
    Column("owner_id", Uuid(), nullable=False),
    enum_text("purpose", AssetPurpose),
    enum_text("media", Media, server_default="image"),
    enum_text("state", AssetState),
    text("name", nullable=True),
    text("content_type"),
    Column("width", Integer, nullable=True),
    Column("height", Integer, nullable=True),
    Column("duration_ms", BigInteger, nullable=True),
    Column("size_bytes", BigInteger, nullable=False),
    text("sha256"),
    text("clean_key"),
    text("preview_key", nullable=True),
    text("thumbnail_key", nullable=True),
    text("original_key", nullable=True),
    Column("generation_id", Uuid(), nullable=True),
    Column("clean_for_owner", Boolean, nullable=False, server_default="false"),
    instant("created_at"),
    text("uploaded_sha256", nullable=True),
    json_of("looks", Looks, nullable=True),
    CheckConstraint("looks IS NULL OR purpose = 'training_image'", name="looks_of_training"),
    CheckConstraint("width > 0 AND height > 0 AND size_bytes > 0", name="size"),
    CheckConstraint("duration_ms > 0", name="duration"),
    CheckConstraint(
        "(width IS NULL) = (height IS NULL) AND (media <> 'image' OR width IS NOT NULL)",
        name="pixels",
    ),
    CheckConstraint("(generation_id IS NOT NULL) = (purpose = 'generation')", name="generation"),
    Index("ix_assets_owner", "owner_id", "created_at", "id"),
    Index("ix_assets_owner_purpose", "owner_id", "purpose", "created_at", "id"),
    Index("ix_assets_owner_media", "owner_id", "media", "created_at", "id"),
    Index("ix_assets_owner_both", "owner_id", "purpose", "media", "created_at", "id"),
    Index("ix_assets_output", "sha256", postgresql_where="purpose = 'generation'"),
    Index("ix_assets_generation", "generation_id", postgresql_where="generation_id IS NOT NULL"),
)

asset_grants = Table(
    "asset_grants",
    metadata,
    Column("asset_id", ForeignKey("assets.id"), primary_key=True),
    Column("user_id", Uuid(), primary_key=True),
    Column("order_id", Uuid(), primary_key=True),
)

asset_accesses = Table(
    "asset_accesses",
    metadata,
    id_column(),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    Column("user_id", Uuid(), nullable=False),
    instant("at"),
    Index(None, "asset_id", "user_id", "at"),
)
"""When buyers were given a link to a clean copy: what a bank is shown in a dispute."""

mappers.map_imperatively(Asset, assets)


class PostgresAssets(PostgresRepository[Asset]):
    """See `application.ports.media.Assets`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Asset, kind="asset")

    async def many(self, asset_ids: Collection[UUID]) -> list[Asset]:
        return await self._many(select(Asset).where(assets.c.id.in_(asset_ids)))

    async def outputs(self, digests: Collection[str]) -> list[Asset]:
        if not digests:
            return []
        return await self._many(
            select(Asset)
            .where(assets.c.purpose == AssetPurpose.GENERATION, assets.c.sha256.in_(digests))
            .order_by(assets.c.id)
        )

    async def of_generation(self, generation_id: UUID) -> list[Asset]:
        return await self._many(
            select(Asset)
            .where(assets.c.generation_id == generation_id)
            .order_by(assets.c.created_at, assets.c.id)
        )

    async def remove(self, asset: Asset) -> None:
        await self._session.delete(asset)
        try:
            await self._session.flush()
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) == _FOREIGN_KEY_VIOLATION:
                raise AssetInUse("The asset is still used: remove what uses it first.") from error
            raise

    async def grant_clean(self, grants: Collection[CleanGrant]) -> int:
        if not grants:
            return 0
        rows = [
            {"asset_id": grant.asset_id, "user_id": grant.user_id, "order_id": grant.order_id}
            for grant in grants
        ]
        statement = (
            insert(asset_grants)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(asset_grants.c.asset_id)
        )
        return len((await self._session.execute(statement)).all())

    async def note_access(self, asset_id: UUID, user_id: UUID, *, at: datetime) -> None:
        await self._session.execute(
            insert(asset_accesses).values(
                id=func.gen_random_uuid(), asset_id=asset_id, user_id=user_id, at=at
            )
        )

    async def withdraw_clean(self, order_id: UUID, asset_ids: Collection[UUID]) -> int:
        withdrawn = await self._session.execute(
            delete(asset_grants)
            .where(asset_grants.c.order_id == order_id, asset_grants.c.asset_id.in_(asset_ids))
            .returning(asset_grants.c.asset_id)
        )
        return len(withdrawn.all())

    async def grantees(self, asset_id: UUID) -> set[UUID]:
        statement = select(asset_grants.c.user_id).where(asset_grants.c.asset_id == asset_id)
        return set(await self._session.scalars(statement))

    async def granted(self, user_id: UUID, asset_ids: Collection[UUID]) -> set[UUID]:
        statement = select(asset_grants.c.asset_id).where(
            asset_grants.c.asset_id.in_(asset_ids), asset_grants.c.user_id == user_id
        )
        return set(await self._session.scalars(statement))


class PostgresAssetViews:
    """See `application.ports.media.AssetViews`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def page(
        self,
        owner_id: UUID,
        *,
        purpose: AssetPurpose | None,
        media: Media | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
        project_id: UUID | None = None,
    ) -> list[Asset]:
        statement = (
            select(Asset)
            .where(assets.c.owner_id == owner_id, assets.c.state == AssetState.READY)
            .order_by(assets.c.created_at.desc(), assets.c.id.desc())
            .limit(limit)
        )
        if purpose is not None:
            statement = statement.where(assets.c.purpose == purpose)
        if media is not None:
            statement = statement.where(assets.c.media == media)
        if project_id is not None:
            made = select(generations.c.id).where(generations.c.project_id == project_id)
            statement = statement.where(assets.c.generation_id.in_(made))
        if before is not None:
            statement = statement.where(tuple_(assets.c.created_at, assets.c.id) < before)
        async with self._sessions() as session:
            return list(await session.scalars(statement))

    async def keys_of(self, asset_ids: Collection[UUID]) -> set[str]:
        if not asset_ids:
            return set()
        async with self._sessions() as session:
            found = await session.scalars(select(Asset).where(assets.c.id.in_(asset_ids)))
            return {key for asset in found for key in asset.keys}
