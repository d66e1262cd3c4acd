"""Creators, their consents and the versions of their licence terms."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.creators.creator import AlreadyCreator, Creator, SlugTaken
from domain.licensing.consent import Consent, ConsentUse
from domain.licensing.terms import LicenceTerms
from domain.licensing.version import TermsVersion


def _of_creator() -> Column[UUID]:
    return Column(
        "creator_id",
        ForeignKey("creators.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    )


creators = Table(
    "creators",
    metadata,
    id_column(),
    Column(
        "user_id", ForeignKey("users.id", deferrable=True, initially="DEFERRED"), nullable=False
    ),
    text("slug"),
    text("display_name"),
    text("bio"),
    Column("published", Boolean, nullable=False),
    # The terms point back at their creator: that end of the circle has the constraint.
    Column("terms_id", Uuid, nullable=True),
    instant("created_at"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("slug"),
    UniqueConstraint("user_id"),
)

consents = Table(
    "consents",
    metadata,
    id_column(),
    _of_creator(),
    text("text_version"),
    text("text_hash", nullable=True),
    text("language"),
    json_of("uses", frozenset[ConsentUse]),
    text("signer_name"),
    Column("adult", Boolean, CheckConstraint("adult", name="signer_is_adult"), nullable=False),
    instant("signed_at"),
    Column("signed_by", Uuid, nullable=False),
    instant("withdrawn_at", nullable=True),
    Index(None, "creator_id"),
)

licence_terms = Table(
    "licence_terms",
    metadata,
    id_column(),
    _of_creator(),
    Column("version", Integer, nullable=False),
    text("hash"),
    json_of("terms", LicenceTerms),
    instant("created_at"),
    Column("created_by", Uuid, nullable=False),
    UniqueConstraint("creator_id", "version"),
)

on_violation("uq_creators_slug", lambda: SlugTaken("The slug is taken."))
on_violation("uq_creators_user_id", lambda: AlreadyCreator("You are a creator already."))

mappers.map_imperatively(Creator, creators, version_id_col=creators.c.version, eager_defaults=False)
mappers.map_imperatively(Consent, consents)
mappers.map_imperatively(TermsVersion, licence_terms)


# Built once: whoever asks for work or sells it asks for these.
_IDS: BindParameter[UUID] = bindparam("ids", expanding=True)
_CREATORS = select(Creator).where(creators.c.id.in_(_IDS))
_CONSENTS = (
    select(Consent)
    .where(consents.c.creator_id.in_(_IDS))
    .order_by(consents.c.signed_at.desc(), consents.c.id.desc())
)
_TERMS = select(TermsVersion).where(licence_terms.c.id.in_(_IDS))


class PostgresCreators(PostgresRepository[Creator]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Creator, kind="creator")

    async def of_user(self, user_id: UUID) -> Creator | None:
        return await self._one(select(Creator).where(creators.c.user_id == user_id))

    async def many(self, creator_ids: Collection[UUID]) -> list[Creator]:
        return await self._many(_CREATORS, ids=list(creator_ids))


class PostgresConsents(PostgresRepository[Consent]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Consent, kind="consent")

    async def of_creators(self, creator_ids: Collection[UUID]) -> list[Consent]:
        return await self._many(_CONSENTS, ids=list(creator_ids))


class PostgresTermsVersions(PostgresRepository[TermsVersion]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, TermsVersion, kind="licence terms")

    async def by_version(self, creator_id: UUID, version: int) -> TermsVersion | None:
        return await self._one(
            select(TermsVersion).where(
                licence_terms.c.creator_id == creator_id, licence_terms.c.version == version
            )
        )

    async def latest(self, creator_id: UUID) -> TermsVersion | None:
        return await self._one(
            select(TermsVersion)
            .where(licence_terms.c.creator_id == creator_id)
            .order_by(licence_terms.c.version.desc())
            .limit(1)
        )

    async def many(self, terms_ids: Collection[UUID]) -> list[TermsVersion]:
        return await self._many(_TERMS, ids=list(terms_ids))
