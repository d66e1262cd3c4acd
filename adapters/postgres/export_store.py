"""Exports that were asked for, with where their files are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.reporting.export import Export, ExportFile, ExportFormat, ExportKind, ExportState

exports = Table(
    "exports",
    metadata,
    id_column(),
    enum_text("kind", ExportKind),
    enum_text("format", ExportFormat),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("payee_id", Uuid, nullable=True),
    Column("requested_by", Uuid, nullable=False),
    instant("requested_at"),
    enum_text("state", ExportState),
    Column("run", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    json_of("files", tuple[ExportFile, ...]),
    text("failure", nullable=True),
    instant("started_at", nullable=True),
    instant("finished_at", nullable=True),
    instant("expires_at", nullable=True),
    CheckConstraint("until > since", name="spans_days"),
    CheckConstraint(
        "(state IN ('ready', 'failed')) = (finished_at IS NOT NULL) "
        "AND (finished_at IS NULL) = (expires_at IS NULL)",
        name="finished_expires",
    ),
    CheckConstraint("state <> 'failed' OR failure IS NOT NULL", name="failed_says_why"),
    CheckConstraint("state <> 'ready' OR jsonb_array_length(files) > 0", name="ready_has_files"),
    Index(None, "expires_at"),
)

mappers.map_imperatively(Export, exports)


class PostgresExports(PostgresRepository[Export]):
    """See `application.ports.exports.Exports`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Export, kind="export")

    async def page(self, *, before: UUID | None, limit: int) -> list[Export]:
        statement = select(Export).order_by(exports.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(exports.c.id < before)
        return await self._many(statement)

    async def expired(self, *, now: datetime, limit: int) -> list[Export]:
        return await self._many(
            select(Export)
            .where(exports.c.expires_at <= now)
            .order_by(exports.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def remove(self, export: Export) -> None:
        await self._session.delete(export)
