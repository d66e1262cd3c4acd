"""Uploads, and the bytes that each owner has and has on the way.

`storage_usage` has a row for each owner. What is used is counted by triggers on `assets`, so that
no way of making or deleting an asset can forget it; what is reserved is counted here.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Uuid,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import id_column, instant, mappers, metadata
from adapters.postgres.metadata import text as text_column
from adapters.postgres.repository import PostgresRepository
from application.ports.uploads import StorageUsage
from domain.media.asset import AssetPurpose
from domain.media.upload import Upload, UploadState

uploads = Table(
    "uploads",
    metadata,
    id_column(),
    Column("owner_id", Uuid(), nullable=False),
    enum_text("purpose", AssetPurpose),
    text_column("filename"),
    text_column("content_type"),
    Column("size_bytes", BigInteger, nullable=False),
    text_column("sha256"),
    Column("part_bytes", Integer, nullable=False),
    text_column("multipart_id", nullable=True),
    enum_text("state", UploadState),
    text_column("error_code", nullable=True),
    text_column("error_message", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    CheckConstraint("size_bytes > 0 AND part_bytes > 0", name="size"),
    CheckConstraint("(state = 'refused') = (error_code IS NOT NULL)", name="refused"),
    CheckConstraint("(state IN ('uploading', 'verifying')) = (ended_at IS NULL)", name="ended"),
    Index("ix_uploads_owner", "owner_id", "created_at", "id"),
    Index("ix_uploads_owner_state", "owner_id", "state", "created_at", "id"),
    Index("ix_uploads_due", "expires_at", postgresql_where=text("state = 'uploading'")),
)

storage_usage = Table(
    "storage_usage",
    metadata,
    Column("owner_id", Uuid(), primary_key=True),
    Column("used_bytes", BigInteger, nullable=False),
    Column("reserved_bytes", BigInteger, nullable=False),
    CheckConstraint("used_bytes >= 0 AND reserved_bytes >= 0", name="not_negative"),
)

mappers.map_imperatively(Upload, uploads)

_OPEN = (UploadState.UPLOADING, UploadState.VERIFYING)


class PostgresUploads(PostgresRepository[Upload]):
    """See `application.ports.uploads.Uploads`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Upload, kind="upload")

    async def reserve(self, owner_id: UUID, size_bytes: int, *, limit_bytes: int) -> bool:
        await self._session.execute(
            insert(storage_usage)
            .values(owner_id=owner_id, used_bytes=0, reserved_bytes=0)
            .on_conflict_do_nothing()
        )
        wanted = storage_usage.c.used_bytes + storage_usage.c.reserved_bytes + size_bytes
        reserved = await self._session.execute(
            update(storage_usage)
            .where(storage_usage.c.owner_id == owner_id, wanted <= limit_bytes)
            .values(reserved_bytes=storage_usage.c.reserved_bytes + size_bytes)
            .returning(storage_usage.c.owner_id)
        )
        return reserved.first() is not None

    async def release(self, owner_id: UUID, size_bytes: int) -> None:
        await self._session.execute(
            update(storage_usage)
            .where(storage_usage.c.owner_id == owner_id)
            .values(reserved_bytes=storage_usage.c.reserved_bytes - size_bytes)
        )

    async def usage(self, owner_id: UUID) -> StorageUsage:
        statement = select(storage_usage).where(storage_usage.c.owner_id == owner_id)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            return StorageUsage(used_bytes=0, reserved_bytes=0)
        return StorageUsage(used_bytes=row.used_bytes, reserved_bytes=row.reserved_bytes)

    async def due(self, *, at: datetime, limit: int) -> list[UUID]:
        statement = (
            select(uploads.c.id)
            .where(uploads.c.state == UploadState.UPLOADING, uploads.c.expires_at <= at)
            .order_by(uploads.c.expires_at)
            .limit(limit)
        )
        return list(await self._session.scalars(statement))


class PostgresUploadViews:
    """See `application.ports.uploads.UploadViews`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def page(
        self,
        owner_id: UUID,
        *,
        state: UploadState | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Upload]:
        statement = (
            select(Upload)
            .where(uploads.c.owner_id == owner_id)
            .order_by(uploads.c.created_at.desc(), uploads.c.id.desc())
            .limit(limit)
        )
        if state is not None:
            statement = statement.where(uploads.c.state == state)
        if before is not None:
            statement = statement.where(tuple_(uploads.c.created_at, uploads.c.id) < before)
        async with self._sessions() as session:
            return list(await session.scalars(statement))

    async def keys_of(self, upload_ids: Collection[UUID]) -> set[str]:
        if not upload_ids:
            return set()
        statement = select(Upload).where(uploads.c.id.in_(upload_ids), uploads.c.state.in_(_OPEN))
        async with self._sessions() as session:
            return {upload.key for upload in await session.scalars(statement)}
