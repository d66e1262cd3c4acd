"""Discounts and their uses. A limit is kept by a conditional update; without one no row is hot."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
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
    insert,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ordering.discount import (
    CodeTaken,
    Discount,
    DiscountKind,
    DiscountScope,
    DiscountUsedUp,
)

discounts = Table(
    "discounts",
    metadata,
    id_column(),
    Column("store_id", ForeignKey("stores.id"), nullable=True),
    text("code", nullable=True),
    text("title"),
    enum_text("scope", DiscountScope),
    enum_text("kind", DiscountKind),
    cents("value", CheckConstraint("value > 0", name="value_positive")),
    text("currency", nullable=True),
    json_of("product_ids", tuple[UUID, ...]),
    instant("starts_at"),
    instant("ends_at", nullable=True),
    Column("usage_limit", Integer, nullable=True),
    Column("per_customer_limit", Integer, nullable=True),
    Column("used", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    instant("created_at"),
    Column("version", Integer, nullable=False),
    CheckConstraint("(kind = 'amount') = (currency IS NOT NULL)", name="amount_has_currency"),
    CheckConstraint("kind = 'amount' OR value <= 10000", name="percent_within_whole"),
    CheckConstraint(
        "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name="used_within_limit"
    ),
    CheckConstraint("usage_limit > 0 AND per_customer_limit > 0", name="limits_positive"),
    Index(
        "uq_discounts_store_id_code",
        "store_id",
        "code",
        unique=True,
        postgresql_where=sql("store_id IS NOT NULL AND NOT archived"),
    ),
    Index(
        "uq_discounts_platform_code",
        "code",
        unique=True,
        postgresql_where=sql("store_id IS NULL AND NOT archived"),
    ),
    Index(None, "store_id", "id"),
)

discount_uses = Table(
    "discount_uses",
    metadata,
    Column("discount_id", ForeignKey("discounts.id"), primary_key=True),
    Column("order_id", Uuid, primary_key=True),
    text("customer"),
    Index(None, "discount_id", "customer"),
    Index(None, "order_id"),
)

for _name in ("uq_discounts_store_id_code", "uq_discounts_platform_code"):
    on_violation(_name, lambda: CodeTaken("Another discount has this code."))
on_violation(
    "ck_discounts_used_within_limit", lambda: DiscountUsedUp("More uses than that are held.")
)

mappers.map_imperatively(Discount, discounts, version_id_col=discounts.c.version)


class PostgresDiscounts(PostgresRepository[Discount]):
    """See `application.ports.carts.Discounts`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Discount, kind="discount")

    async def offered(self, store_ids: Collection[UUID], codes: Collection[str]) -> list[Discount]:
        return await self._many(
            select(Discount)
            .where(
                discounts.c.store_id.in_(store_ids) | discounts.c.store_id.is_(None),
                discounts.c.code.is_(None) | discounts.c.code.in_(codes),
                discounts.c.active,
                ~discounts.c.archived,
            )
            .order_by(discounts.c.id)
            .execution_options(populate_existing=True)
        )

    async def of_store(
        self, store_id: UUID | None, *, before: UUID | None, limit: int
    ) -> list[Discount]:
        own = discounts.c.store_id.is_not_distinct_from(store_id)
        found = select(Discount).where(own, ~discounts.c.archived)
        if before is not None:
            found = found.where(discounts.c.id < before)
        return await self._many(found.order_by(discounts.c.id.desc()).limit(limit))

    async def reserve(
        self, discount_ids: Collection[UUID], *, order_id: UUID, customer: str
    ) -> None:
        """The key share lock keeps a discount's limits from being changed meanwhile."""
        limits = await self._session.execute(
            select(discounts.c.id, discounts.c.usage_limit, discounts.c.per_customer_limit)
            .where(discounts.c.id.in_(discount_ids))
            .order_by(discounts.c.id)
            .with_for_update(read=True, key_share=True)
        )
        for discount_id, usage_limit, per_customer in limits.all():
            if usage_limit is not None or per_customer is not None:
                await self._take_use(discount_id)
            if per_customer is not None:
                had = await self._session.scalar(
                    select(func.count())
                    .select_from(discount_uses)
                    .where(
                        discount_uses.c.discount_id == discount_id,
                        discount_uses.c.customer == customer,
                    )
                )
                if (had or 0) >= per_customer:
                    raise DiscountUsedUp(
                        "This customer has had the discount as often as it is given.",
                        discount_id=str(discount_id),
                    )
            await self._session.execute(
                insert(discount_uses).values(
                    discount_id=discount_id, order_id=order_id, customer=customer
                )
            )

    async def free(self, order_id: UUID) -> None:
        freed = await self._session.scalars(
            delete(discount_uses)
            .where(discount_uses.c.order_id == order_id)
            .returning(discount_uses.c.discount_id)
        )
        held = sorted(freed.all())
        if not held:
            return
        await self._session.execute(
            select(discounts.c.id)
            .where(discounts.c.id.in_(held))
            .order_by(discounts.c.id)
            .with_for_update(read=True, key_share=True)
        )
        for discount_id in held:
            await self._session.execute(
                update(discounts)
                .where(discounts.c.id == discount_id, _LIMITED)
                .values(used=discounts.c.used - 1)
                .execution_options(synchronize_session=False)
            )

    async def recount(self, discount_id: UUID) -> int:
        held = await self._session.scalar(
            select(func.count())
            .select_from(discount_uses)
            .where(discount_uses.c.discount_id == discount_id)
        )
        return held or 0

    async def _take_use(self, discount_id: UUID) -> None:
        """Also locks the row, so that a customer's uses are counted one order at a time."""
        taken = await self._session.execute(
            update(discounts)
            .where(
                discounts.c.id == discount_id,
                discounts.c.usage_limit.is_(None) | (discounts.c.used < discounts.c.usage_limit),
            )
            .values(used=discounts.c.used + 1)
            .returning(discounts.c.id)
            .execution_options(synchronize_session=False)
        )
        if taken.first() is None:
            raise DiscountUsedUp("The discount is used up.", discount_id=str(discount_id))


_LIMITED = discounts.c.usage_limit.is_not(None) | discounts.c.per_customer_limit.is_not(None)
