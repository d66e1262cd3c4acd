"""What we signed, for as long as somebody may hold a copy of it."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.media.provenance import MediaCopy, SignedCopy, SourceType

signed_copies = Table(
    "signed_copies",
    metadata,
    id_column(),
    Column("asset_id", Uuid(), nullable=False),
    enum_text("copy", MediaCopy),
    text("key"),
    text("manifest", unique=True),
    text("claim_sha256"),
    text("sha256"),
    text("certificate_sha256"),
    enum_text("source", SourceType),
    text("model"),
    Column("creator_id", Uuid(), nullable=True),
    Column("generation_id", Uuid(), nullable=False),
    Column("licence_id", Uuid(), nullable=True),
    Column("licence_version", Integer, nullable=True),
    text("licence_hash", nullable=True),
    instant("signed_at"),
    CheckConstraint("licence_version > 0", name="licence"),
    CheckConstraint(
        "num_nulls(creator_id, licence_id, licence_version, licence_hash) IN (0, 4)",
        name="creator_and_licence",
    ),
    CheckConstraint(
        "length(claim_sha256) = 64 AND length(sha256) = 64 AND length(certificate_sha256) = 64",
        name="hashes",
    ),
    Index(None, "asset_id", "signed_at"),
)
"""No foreign key to assets: what was erased stays known."""

mappers.map_imperatively(SignedCopy, signed_copies)


class PostgresSignedCopies(PostgresRepository[SignedCopy]):
    """See `application.ports.provenance.SignedCopies`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, SignedCopy, kind="signed copy")

    async def of_asset(self, asset_id: UUID) -> list[SignedCopy]:
        return await self._many(
            select(SignedCopy)
            .where(signed_copies.c.asset_id == asset_id)
            .order_by(signed_copies.c.signed_at, signed_copies.c.id)
        )

    async def of_manifests(self, manifests: list[str]) -> list[SignedCopy]:
        return await self._many(select(SignedCopy).where(signed_copies.c.manifest.in_(manifests)))
