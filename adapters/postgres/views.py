"""Reads of balances and the catalogue: SQL into what is shown, one statement a screen."""

from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    Select,
    and_,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import products, stores
from adapters.postgres.creators import creators
from adapters.postgres.earnings import earnings
from adapters.postgres.ledger import payee_balances
from application.ports.views import (
    Balance,
    ListedProduct,
    PublicCreator,
    PublicStore,
    Release,
    StoreProduct,
)
from domain.catalogue.product import ProductStatus
from domain.ledger.earning import EarningState
from domain.licensing.terms import ProductType
from domain.shared.errors import NotFound

S = TypeVar("S", bound=msgspec.Struct)

RELEASE_DAYS_SHOWN = 60


class Reader:
    """Runs single statements outside any transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def _rows(self, statement: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]

    async def _all(self, statement: Select[*tuple[Any, ...]], kind: type[S]) -> list[S]:
        return [kind(**row) for row in await self._rows(statement)]

    async def _one(self, statement: Select[*tuple[Any, ...]], kind: type[S], *, missing: str) -> S:
        rows = await self._all(statement, kind)
        if not rows:
            raise NotFound(missing)
        return rows[0]


_NOTHING: dict[str, Any] = dict.fromkeys(payee_balances.c.keys(), 0) | {"negative_since": None}


class PostgresBalanceViews(Reader):
    """See `application.ports.views.BalanceViews`."""

    async def balance(self, payee_id: UUID, *, currency: str | None) -> Balance:
        own = select(payee_balances).where(payee_balances.c.payee_id == payee_id)
        found = await self._rows(
            own.order_by(payee_balances.c.lifetime_cents.desc(), payee_balances.c.currency)
        )
        currencies = [row["currency"] for row in found]
        held = [row for row in found if currency in (None, row["currency"])][:1]
        row = held[0] if held else _NOTHING | {}
        held_in: str = held[0]["currency"] if held else currency or "usd"
        del row["payee_id"], row["currency"]
        owed_since = row.pop("negative_since")
        day = func.date(func.timezone("UTC", earnings.c.release_at))
        left = earnings.c.amount_cents - earnings.c.returned_cents - earnings.c.fee_cents
        releases = (
            select(
                day.label("on"),
                func.sum(func.greatest(0, left))
                .cast(payee_balances.c.pending_cents.type)
                .label("amount_cents"),
            )
            .where(
                earnings.c.payee_id == payee_id,
                earnings.c.state == EarningState.PENDING,
                earnings.c.currency == held_in,
            )
            .group_by(day)
            .order_by(day)
            .limit(RELEASE_DAYS_SHOWN)
        )
        shown = await self._all(releases, Release) if row["pending_cents"] else []
        return Balance(
            **row,
            owed_cents=max(0, -row["available_cents"]),
            owed_since=owed_since,
            currency=held_in,
            currencies=currencies,
            releases=[release for release in shown if release.amount_cents],
        )


class PostgresCatalogueViews(Reader):
    """See `application.ports.views.CatalogueViews`."""

    async def on_sale(
        self,
        *,
        store_id: UUID | None,
        creator_id: UUID | None,
        product_type: ProductType | None,
        before: UUID | None,
        limit: int,
    ) -> list[ListedProduct]:
        wanted = [
            column == value
            for column, value in (
                (products.c.store_id, store_id),
                (products.c.creator_id, creator_id),
                (products.c.product_type, product_type),
            )
            if value is not None
        ]
        if before is not None:
            wanted.append(products.c.id < before)
        return await self._all(
            _LISTED.where(and_(True, *wanted)).order_by(products.c.id.desc()).limit(limit),
            ListedProduct,
        )

    async def listed(self, product_id: UUID) -> ListedProduct:
        found = _LISTED.where(products.c.id == product_id)
        return await self._one(found, ListedProduct, missing="product")

    async def of_store(
        self, store_id: UUID, *, before: UUID | None, limit: int
    ) -> list[StoreProduct]:
        own = select(*(products.c[name] for name in StoreProduct.__struct_fields__)).where(
            products.c.store_id == store_id
        )
        if before is not None:
            own = own.where(products.c.id < before)
        return await self._all(own.order_by(products.c.id.desc()).limit(limit), StoreProduct)

    async def creators(self, *, before: UUID | None, limit: int) -> list[PublicCreator]:
        published = _CREATOR
        if before is not None:
            published = published.where(creators.c.id < before)
        return await self._all(published.order_by(creators.c.id.desc()).limit(limit), PublicCreator)

    async def creator(self, slug: str) -> PublicCreator:
        found = _CREATOR.where(creators.c.slug == slug)
        return await self._one(found, PublicCreator, missing="creator")

    async def slug_taken(self, slug: str) -> bool:
        return bool(await self._rows(select(creators.c.id).where(creators.c.slug == slug)))

    async def store(self, slug: str) -> PublicStore:
        found = select(*(stores.c[name] for name in PublicStore.__struct_fields__)).where(
            stores.c.slug == slug
        )
        return await self._one(found, PublicStore, missing="store")


_LISTED: Select[*tuple[Any, ...]] = (
    select(
        *(
            products.c[name]
            for name in ListedProduct.__struct_fields__
            if name not in {"available", "store_slug", "creator_slug"}
        ),
        (products.c.stock - products.c.reserved).label("available"),
        stores.c.slug.label("store_slug"),
        creators.c.slug.label("creator_slug"),
    )
    .join(stores, stores.c.id == products.c.store_id)
    .join(creators, creators.c.id == products.c.creator_id)
    .where(products.c.status == ProductStatus.ACTIVE)
)
_CREATOR: Select[*tuple[Any, ...]] = select(
    *(creators.c[name] for name in PublicCreator.__struct_fields__)
).where(creators.c.published)
