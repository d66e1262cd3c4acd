"""Stores and products, and the conditional updates that guard limited stock."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    case,
    select,
    tuple_,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.payees import CAN_BE_PAID, payees
from adapters.postgres.repository import PostgresRepository
from application.ports.catalogue import Artwork
from domain.catalogue.product import OutOfStock, Product, ProductStatus
from domain.catalogue.shipping import ShippingOption
from domain.catalogue.store import Store
from domain.creators.creator import SlugTaken
from domain.licensing.decision import Decision
from domain.licensing.terms import ProductType

stores = Table(
    "stores",
    metadata,
    id_column(),
    Column(
        "owner_id", ForeignKey("users.id", deferrable=True, initially="DEFERRED"), nullable=False
    ),
    text("slug"),
    text("name"),
    text("description"),
    instant("created_at"),
    Column("team_id", ForeignKey("teams.id", ondelete="SET NULL"), nullable=True),
    Column(
        "shipping_options", JsonOf(tuple[ShippingOption, ...]), nullable=False, server_default="[]"
    ),
    Column("version", Integer, nullable=False),
    UniqueConstraint("slug"),
    Index(None, "team_id"),
    Index(None, "owner_id"),
)

products = Table(
    "products",
    metadata,
    id_column(),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("generation_id", Uuid, nullable=False),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    enum_text("product_type", ProductType),
    text("title"),
    text("description"),
    text("prompt"),
    cents("price_cents", CheckConstraint("price_cents >= 0", name="price_not_negative")),
    text("currency"),
    Column("stock", Integer, nullable=True),
    Column("reserved", Integer, nullable=False, server_default="0"),
    enum_text("status", ProductStatus),
    text("frozen_for", nullable=True),
    Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
    Column("terms_version", Integer, nullable=False),
    text("terms_hash"),
    json_of("decision", Decision),
    instant("created_at"),
    instant("published_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("reserved >= 0 AND (stock IS NULL OR reserved <= stock)", name="no_oversale"),
    CheckConstraint("frozen_for IS NULL OR status = 'suspended'", name="frozen_is_suspended"),
    CheckConstraint(
        "status NOT IN ('active', 'out_of_stock') OR price_cents % 10 = 0 "
        "OR currency NOT IN ('bhd', 'jod', 'kwd', 'omr', 'tnd')",
        name="listed_price_in_steps",
    ),
    Index(None, "store_id", "id"),
    Index(None, "creator_id", "id"),
    Index(None, "asset_id"),
)

on_violation("uq_stores_slug", lambda: SlugTaken("The slug is taken."))

mappers.map_imperatively(Store, stores, version_id_col=stores.c.version)
mappers.map_imperatively(Product, products, version_id_col=products.c.version)

_FREEZABLE = (ProductStatus.ACTIVE, ProductStatus.OUT_OF_STOCK, ProductStatus.SUSPENDED)

_ARTWORK = sql("""
    SELECT g.id AS generation_id, a.id AS asset_id, g.creator_id, g.prompt
    FROM generations g JOIN jobs j ON j.id = g.id JOIN assets a ON a.generation_id = g.id
    WHERE g.id = :generation_id AND j.status = 'succeeded' AND a.state = 'ready'
    ORDER BY a.created_at, a.id LIMIT 1
""")


class PostgresStores(PostgresRepository[Store]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Store, kind="store")

    async def owned_by(self, user_id: UUID) -> list[Store]:
        return await self._many(
            select(Store).where(stores.c.owner_id == user_id).order_by(stores.c.id)
        )

    async def many(self, store_ids: Collection[UUID]) -> list[Store]:
        return await self._many(select(Store).where(stores.c.id.in_(store_ids)))


class PostgresProducts(PostgresRepository[Product]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Product, kind="product")

    async def many(self, product_ids: Collection[UUID]) -> list[Product]:
        return await self._many(select(Product).where(products.c.id.in_(product_ids)))

    async def reserve(self, quantities: Mapping[UUID, int]) -> set[UUID]:
        """One conditional update per limited product, in order of ids."""
        limited = await self._session.scalars(
            select(products.c.id)
            .where(products.c.id.in_(quantities), products.c.stock.is_not(None))
            .order_by(products.c.id)
            .with_for_update()
        )
        reserved: set[UUID] = set()
        for product_id in limited.all():
            taken = await self._session.execute(
                update(products)
                .where(
                    products.c.id == product_id,
                    products.c.stock - products.c.reserved >= quantities[product_id],
                )
                .values(reserved=products.c.reserved + quantities[product_id])
                .returning(products.c.id)
            )
            if taken.first() is None:
                raise OutOfStock(
                    "There are not that many left.",
                    product_id=str(product_id),
                    quantity=quantities[product_id],
                )
            reserved.add(product_id)
        return reserved

    async def artwork(self, generation_id: UUID) -> Artwork | None:
        found = (await self._session.execute(_ARTWORK, {"generation_id": generation_id})).first()
        return None if found is None else Artwork(**found._mapping)

    async def suspend_unpayable(self, payee_id: UUID) -> int:
        done = await self._session.execute(
            update(products)
            .where(
                (products.c.store_id == payee_id) | (products.c.creator_id == payee_id),
                products.c.status == ProductStatus.ACTIVE,
            )
            .values(status=ProductStatus.SUSPENDED, version=products.c.version + 1)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]

    async def resume_payable(self, payee_id: UUID) -> int:
        """Locks first, so that of two payees who come back at once the later sees the other."""
        await self._session.flush()
        suspended = (
            (products.c.store_id == payee_id) | (products.c.creator_id == payee_id),
            products.c.status == ProductStatus.SUSPENDED,
            products.c.frozen_for.is_(None),
        )
        await self._session.execute(
            select(products.c.id).where(*suspended).order_by(products.c.id).with_for_update()
        )
        barred = select(payees.c.id).where(
            payees.c.id.in_([products.c.store_id, products.c.creator_id]), ~CAN_BE_PAID
        )
        status = case(
            (products.c.stock == 0, ProductStatus.OUT_OF_STOCK), else_=ProductStatus.ACTIVE
        )
        done = await self._session.execute(
            update(products)
            .where(*suspended, ~barred.exists())
            .values(status=status, version=products.c.version + 1)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]

    async def sellers(self, creator_id: UUID) -> set[tuple[UUID, ProductType]]:
        found = await self._session.execute(
            select(products.c.store_id, products.c.product_type)
            .where(products.c.creator_id == creator_id, products.c.status.in_(_FREEZABLE))
            .distinct()
        )
        return {(store_id, product_type) for store_id, product_type in found}

    async def freeze(
        self,
        creator_id: UUID,
        *,
        reason: str,
        sellers: Collection[tuple[UUID, ProductType]] | None = None,
        up_to_version: int | None = None,
    ) -> int:
        wanted = [
            products.c.creator_id == creator_id,
            products.c.status.in_(_FREEZABLE),
            products.c.frozen_for.is_(None),
        ]
        if sellers is not None:
            wanted.append(tuple_(products.c.store_id, products.c.product_type).in_(list(sellers)))
        if up_to_version is not None:
            wanted.append(products.c.terms_version <= up_to_version)
        await self._session.flush()
        await self._session.execute(
            select(products.c.id).where(*wanted).order_by(products.c.id).with_for_update()
        )
        done = await self._session.execute(
            update(products)
            .where(*wanted)
            .values(
                status=ProductStatus.SUSPENDED,
                frozen_for=reason,
                version=products.c.version + 1,
            )
        )
        return int(done.rowcount)  # type: ignore[attr-defined]
