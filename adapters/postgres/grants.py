"""Grants of licences. No two that shut others out may meet, and the database says so as well.

Product types and countries are kept as multiranges of numbers, so that one exclusion constraint
sees all three axes of a grant in its row. The creator is a range of one: GiST compares ranges.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    TypeDecorator,
    Uuid,
    or_,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import (
    INT4MULTIRANGE,
    ExcludeConstraint,
)
from sqlalchemy.dialects.postgresql.ranges import MultiRange, Range
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.licensing.conditions import Exclusivity
from domain.licensing.grant import GrantOverlaps, LicenceGrant
from domain.licensing.royalty import Share
from domain.licensing.terms import LicenceTerms, ProductType

TYPE_NUMBERS = {
    ProductType.POSTCARD: 0,
    ProductType.SHIRT: 1,
    ProductType.FIGURINE: 2,
    ProductType.DIGITAL: 3,
    ProductType.PRINT: 4,
}
"""Never given twice: rows are written with them."""
_TYPES = {number: kind for kind, number in TYPE_NUMBERS.items()}


def _multirange(numbers: Iterable[int]) -> MultiRange[int]:
    """Neighbours in one range: the world is a few."""
    ranges: list[Range[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1].upper == number:
            ranges[-1] = Range(ranges[-1].lower, number + 1)
        else:
            ranges.append(Range(number, number + 1))
    return MultiRange(ranges)


def _numbers(stored: Iterable[Range[int]]) -> Iterable[int]:
    for part in stored:
        yield from range(part.lower or 0, part.upper or 0)


class TypeSet(TypeDecorator[frozenset[ProductType]]):
    impl = INT4MULTIRANGE
    cache_ok = True

    def process_bind_param(self, value: frozenset[ProductType] | None, dialect: Dialect) -> Any:
        return None if value is None else _multirange(TYPE_NUMBERS[kind] for kind in value)

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[ProductType] | None:
        return None if value is None else frozenset(_TYPES[n] for n in _numbers(value))


class CountrySet(TypeDecorator[frozenset[str]]):
    """`AA` is 0 and `ZZ` is 675."""

    impl = INT4MULTIRANGE
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return _multirange((ord(code[0]) - 65) * 26 + ord(code[1]) - 65 for code in value)

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[str] | None:
        if value is None:
            return None
        return frozenset(chr(n // 26 + 65) + chr(n % 26 + 65) for n in _numbers(value))


licence_grants = Table(
    "licence_grants",
    metadata,
    id_column(),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("parent_id", ForeignKey("licence_grants.id"), nullable=True),
    Column("root_id", ForeignKey("licence_grants.id"), nullable=True),
    json_of("sublicensors", tuple[Share, ...]),
    enum_text("kind", Exclusivity),
    Column("product_types", TypeSet, nullable=False),
    Column("territories", CountrySet, nullable=False),
    instant("valid_from"),
    instant("valid_until", nullable=True),
    Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
    json_of("terms", LicenceTerms, nullable=True),
    Column(
        "guarantee_cents",
        BigInteger,
        CheckConstraint("guarantee_cents >= 0", name="guarantee_not_negative"),
        nullable=False,
    ),
    text("currency", nullable=True),
    instant("guarantee_paid_at", nullable=True),
    instant("created_at"),
    Column("created_by", Uuid, nullable=False),
    instant("ended_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name="period"),
    CheckConstraint("(guarantee_cents > 0) = (currency IS NOT NULL)", name="guarantee_currency"),
    CheckConstraint(
        "guarantee_paid_at IS NULL OR guarantee_cents > 0", name="paid_guarantee_exists"
    ),
    CheckConstraint(
        "(parent_id IS NULL) = (root_id IS NULL) AND (parent_id IS NULL) = (terms IS NULL)",
        name="sublicence",
    ),
    CheckConstraint("parent_id IS NULL OR kind = 'none'", name="sublicence_shuts_nobody_out"),
    ExcludeConstraint(
        (sql("uuid_range(creator_id, creator_id, '[]')"), "&&"),
        (sql("product_types"), "&&"),
        (sql("territories"), "&&"),
        (sql("tstzrange(valid_from, valid_until)"), "&&"),
        using="gist",
        where=sql("kind <> 'none'"),
        name="ex_licence_grants_overlap",
    ),
    Index(None, "creator_id", "id"),
    Index(None, "store_id", "id"),
    Index(None, "root_id"),
    Index(None, "parent_id"),
)

on_violation(
    "ex_licence_grants_overlap",
    lambda: GrantOverlaps("Another sole or exclusive grant covers some of it."),
)

mappers.map_imperatively(LicenceGrant, licence_grants, version_id_col=licence_grants.c.version)


class PostgresGrants(PostgresRepository[LicenceGrant]):
    """See `application.ports.licensing.Grants`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, LicenceGrant, kind="grant")

    async def active(self, creator_ids: Collection[UUID], *, at: datetime) -> list[LicenceGrant]:
        return await self._many(
            select(LicenceGrant)
            .where(
                licence_grants.c.creator_id.in_(creator_ids),
                licence_grants.c.valid_from <= at,
                or_(licence_grants.c.valid_until.is_(None), licence_grants.c.valid_until > at),
            )
            .order_by(licence_grants.c.id)
        )

    async def shutting_out(self, creator_id: UUID) -> list[LicenceGrant]:
        return await self._many(
            select(LicenceGrant).where(
                licence_grants.c.creator_id == creator_id,
                licence_grants.c.kind != Exclusivity.NONE,
                licence_grants.c.ended_at.is_(None),
            )
        )

    async def below(self, grant_id: UUID) -> list[LicenceGrant]:
        """Level by level: few are handed on far."""
        found: list[LicenceGrant] = []
        parents: Sequence[UUID] = [grant_id]
        while parents:
            children = await self._many(
                select(LicenceGrant)
                .where(licence_grants.c.parent_id.in_(parents), licence_grants.c.ended_at.is_(None))
                .order_by(licence_grants.c.id)
                .with_for_update()
            )
            found += children
            parents = [child.id for child in children]
        return found

    async def of_creator(
        self, creator_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        own = select(LicenceGrant).where(licence_grants.c.creator_id == creator_id)
        return await self._page(own, before, limit)

    async def of_store(
        self, store_id: UUID, *, before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        own = select(LicenceGrant).where(licence_grants.c.store_id == store_id)
        return await self._page(own, before, limit)

    async def _page(
        self, statement: Select[LicenceGrant], before: UUID | None, limit: int
    ) -> list[LicenceGrant]:
        if before is not None:
            statement = statement.where(licence_grants.c.id < before)
        return await self._many(statement.order_by(licence_grants.c.id.desc()).limit(limit))
