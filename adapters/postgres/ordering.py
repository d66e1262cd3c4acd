"""Orders. Settlement is set-based: its statements do not grow with the batch."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    case,
    func,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import relationship, selectinload

from adapters.postgres.arrays import Values, unnested
from adapters.postgres.catalogue import products
from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.earnings import insert_earnings
from adapters.postgres.errors import on_violation
from adapters.postgres.legs import Legs
from adapters.postgres.media import asset_grants
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.catalogue.product import ProductStatus
from domain.ledger.effects import Part, merge
from domain.licensing.decision import Decision
from domain.licensing.terms import ProductType
from domain.ordering.address import Address
from domain.ordering.cart import CartOrdered
from domain.ordering.order import DisputeState, FulfilmentState, Order, OrderLine, PaymentStatus
from domain.ordering.pricing import AppliedDiscount
from domain.ordering.settlement import Settlement, SettlementPlan, part_of_leg
from domain.ordering.split import LegKind
from domain.shared.errors import NotFound

_UNENDED = [PaymentStatus.UNPAID, PaymentStatus.PROCESSING]

orders = Table(
    "orders",
    metadata,
    id_column(),
    Column("buyer_id", Uuid, nullable=True),
    text("buyer_email", nullable=True),
    Column("cart_id", Uuid, nullable=True),
    text("request_key"),
    text("currency"),
    cents("total_cents", CheckConstraint("total_cents > 0", name="total_positive")),
    text("fees_version"),
    json_of("ship_to", Address, nullable=True),
    Column("ship_countries", JsonOf(tuple[str, ...]), nullable=False, server_default="[]"),
    text("shipping_option", nullable=True),
    enum_text("payment_status", PaymentStatus),
    enum_text("fulfilment_status", FulfilmentState, server_default="none"),
    enum_text("dispute_status", DisputeState, server_default="none"),
    cents(
        "contested_cents",
        CheckConstraint("contested_cents >= 0", name="contested_not_negative"),
        server_default="0",
    ),
    text("session_id", nullable=True),
    text("checkout_url", nullable=True),
    text("payment_id", nullable=True),
    text("charge_id", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("reconcile_at"),
    instant("paid_at", nullable=True),
    instant("cancelled_at", nullable=True),
    text("tax_calculation_id", nullable=True),
    text("tax_report_id", nullable=True),
    UniqueConstraint("buyer_id", "request_key"),
    UniqueConstraint("session_id"),
    UniqueConstraint("charge_id"),
    CheckConstraint(
        "(payment_status = 'paid') = (charge_id IS NOT NULL AND paid_at IS NOT NULL)",
        name="paid_has_charge",
    ),
    CheckConstraint("num_nonnulls(buyer_id, buyer_email) > 0", name="somebody_buys"),
    Index(None, "buyer_id", "id"),
    Index("ix_orders_paid_at", "paid_at", "id", postgresql_where=sql("payment_status = 'paid'")),
    Index(
        "uq_orders_guest_request_key",
        "buyer_email",
        "request_key",
        unique=True,
        postgresql_where=sql("buyer_id IS NULL"),
    ),
    Index(
        "uq_orders_live_of_cart",
        "cart_id",
        unique=True,
        postgresql_where=sql("payment_status IN ('unpaid', 'processing', 'paid')"),
    ),
    Index("ix_orders_paid", "paid_at", postgresql_where=sql("payment_status = 'paid'")),
    Index(
        "ix_orders_unended",
        "reconcile_at",
        postgresql_where=sql("payment_status IN ('unpaid', 'processing')"),
    ),
)

order_lines = Table(
    "order_lines",
    metadata,
    id_column(),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("store_id", Uuid, nullable=False),
    Column("creator_id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    enum_text("product_type", ProductType),
    text("title"),
    cents("unit_price_cents"),
    Column("quantity", Integer, CheckConstraint("quantity > 0", name="some"), nullable=False),
    cents("discount_cents", server_default="0"),
    cents("platform_discount_cents", server_default="0"),
    cents(
        "shipping_cents",
        CheckConstraint("shipping_cents >= 0", name="shipping_not_negative"),
        server_default="0",
    ),
    cents(
        "tax_cents", CheckConstraint("tax_cents >= 0", name="tax_not_negative"), server_default="0"
    ),
    cents("total_cents"),
    Column("terms_id", Uuid, nullable=False),
    Column("terms_version", Integer, nullable=False),
    text("terms_hash"),
    json_of("decision", Decision),
    Column("stock_reserved", Boolean, nullable=False),
    Column("legs", Legs, nullable=False),
    Column("discounts", JsonOf(tuple[AppliedDiscount, ...]), nullable=False, server_default="[]"),
    cents("refunded_cents", server_default="0"),
    Column("refunded_quantity", Integer, nullable=False, server_default="0"),
    cents("returned_cents", server_default="0"),
    cents("disputed_cents", server_default="0"),
    cents("lost_cents", server_default="0"),
    UniqueConstraint("order_id", "position"),
    CheckConstraint(
        "total_cents = unit_price_cents * quantity - discount_cents + shipping_cents + tax_cents",
        name="total_is_sum",
    ),
    CheckConstraint(
        "0 <= platform_discount_cents AND platform_discount_cents <= discount_cents "
        "AND discount_cents <= unit_price_cents * quantity",
        name="discount_within_price",
    ),
    CheckConstraint("legs_total_cents(legs) = total_cents", name="legs_sum_to_total"),
    CheckConstraint(
        "0 <= returned_cents AND returned_cents <= refunded_cents "
        "AND refunded_cents <= total_cents",
        name="refunds_within_total",
    ),
    CheckConstraint(
        "0 <= disputed_cents AND 0 <= lost_cents "
        "AND returned_cents + lost_cents + disputed_cents <= total_cents",
        name="disputes_within_total",
    ),
    CheckConstraint(
        "0 <= refunded_quantity AND refunded_quantity <= quantity", name="refunds_within_quantity"
    ),
    Index(None, "store_id", "order_id"),
    Index(None, "creator_id", "order_id"),
    Index(None, "product_id"),
)

on_violation(
    "uq_orders_live_of_cart", lambda: CartOrdered("An order of this cart is not over yet.")
)

mappers.map_imperatively(OrderLine, order_lines)
mappers.map_imperatively(
    Order,
    orders,
    properties={"lines": relationship(OrderLine, lazy="raise", order_by=order_lines.c.position)},
)


# An order may have ten thousand lines; what it settles are a few sums.
_LEG_SUMS = sql("""
    SELECT line.order_id, leg.kind, leg.payee_id, sum(leg.amount_cents)::bigint
    FROM order_lines AS line, jsonb_to_recordset(line.legs)
        AS leg (kind text, payee_id uuid, amount_cents bigint)
    WHERE line.order_id = ANY(:order_ids)
    GROUP BY line.order_id, leg.kind, leg.payee_id
    ORDER BY line.order_id, leg.kind, leg.payee_id
    """).bindparams(bindparam("order_ids", type_=ARRAY(Uuid)))


class PostgresOrders(PostgresRepository[Order]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Order, kind="order")

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> Order:
        statement = (
            select(Order)
            .where(orders.c.id == aggregate_id)
            .options(selectinload(Order.lines))  # type: ignore[arg-type]
            .execution_options(populate_existing=lock)
        )
        if lock:
            # Not against rows that refer to the order: who plans transfers holds its earnings and
            # inserts such rows, while a refund holds the order and then wants the earnings.
            statement = statement.with_for_update(key_share=True)
        order = await self._one(statement)
        if order is None:
            raise NotFound("order", aggregate_id)
        return order

    async def by_request_key(
        self, buyer_id: UUID | None, request_key: str, *, guest_email: str | None = None
    ) -> Order | None:
        buyer = (
            (orders.c.buyer_id == buyer_id)
            if buyer_id is not None
            else orders.c.buyer_id.is_(None) & (orders.c.buyer_email == guest_email)
        )
        return await self._one(
            select(Order)
            .where(buyer, orders.c.request_key == request_key)
            .options(selectinload(Order.lines))  # type: ignore[arg-type]
        )

    async def settlement_plans(self, order_ids: Collection[UUID]) -> list[SettlementPlan]:
        wanted = sorted(order_ids)
        found = await self._session.execute(
            select(
                orders.c.id,
                orders.c.buyer_id,
                orders.c.currency,
                orders.c.total_cents,
                orders.c.payment_status,
                orders.c.charge_id,
            )
            .where(orders.c.id == func.any(_ids(wanted)))
            .order_by(orders.c.id)
            .with_for_update(key_share=True)  # see `get`: the batch may hold orders paid before
        )
        legs = await self._session.execute(_LEG_SUMS, {"order_ids": wanted})
        parts: dict[UUID, list[Part]] = {order_id: [] for order_id in wanted}
        for order_id, kind, payee_id, amount_cents in legs:
            parts[order_id].append(part_of_leg(LegKind(kind), payee_id, amount_cents))
        return [SettlementPlan(*row, parts=merge(parts[row.id])) for row in found]

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        captures = [settlement.capture for settlement in settlements]
        paid = unnested(
            "paid",
            Values("order_id", Uuid(), [c.order_id for c in captures]),
            Values("payment_id", Text(), [c.payment_id for c in captures]),
            Values("charge_id", Text(), [c.charge_id for c in captures]),
            Values("paid_at", orders.c.paid_at.type, [s.settled_at for s in settlements]),
        )
        await self._session.execute(
            update(orders)
            .where(orders.c.id == paid.c.order_id)
            .values(
                payment_status=PaymentStatus.PAID,
                payment_id=paid.c.payment_id,
                charge_id=paid.c.charge_id,
                paid_at=paid.c.paid_at,
            )
        )
        await insert_earnings(
            self._session, [earning for s in settlements for earning in s.earnings]
        )
        order_ids = [capture.order_id for capture in captures]
        await self._take_stock(order_ids, sold=True)
        await self._session.execute(
            insert(asset_grants)
            .from_select(
                ["asset_id", "user_id", "order_id"],
                select(
                    order_lines.c.asset_id,
                    func.coalesce(orders.c.buyer_id, orders.c.id),
                    orders.c.id,
                )
                .join(orders, orders.c.id == order_lines.c.order_id)
                .where(orders.c.id == func.any(_ids(order_ids)))
                .distinct(),
            )
            .on_conflict_do_nothing()
        )

    async def close_unpaid(self, order_id: UUID, *, status: PaymentStatus) -> bool:
        closed = await self._session.execute(
            update(orders)
            .where(orders.c.id == order_id, orders.c.payment_status.in_(_UNENDED))
            .values(payment_status=status)
            .returning(orders.c.id)
        )
        if closed.first() is None:
            return False
        await self._take_stock([order_id], sold=False)
        await self._session.execute(
            update(order_lines)
            .where(order_lines.c.order_id == order_id)
            .values(stock_reserved=False)
        )
        return True

    async def by_charge(self, charge_id: str) -> UUID | None:
        return await self._session.scalar(
            select(orders.c.id).where(orders.c.charge_id == charge_id)
        )

    async def charges(self, order_ids: Collection[UUID]) -> dict[UUID, str]:
        found = await self._session.execute(
            select(orders.c.id, orders.c.charge_id).where(
                orders.c.id == func.any(_ids(sorted(order_ids)))
            )
        )
        return {order_id: charge_id for order_id, charge_id in found if charge_id}

    async def taxed_by_provider(self, order_ids: Collection[UUID]) -> list[UUID]:
        found = await self._session.scalars(
            select(orders.c.id).where(
                orders.c.id == func.any(_ids(sorted(order_ids))),
                orders.c.tax_calculation_id.is_not(None),
            )
        )
        return list(found.all())

    async def unended(self, order_ids: Collection[UUID]) -> list[UUID]:
        found = await self._session.scalars(
            select(orders.c.id).where(
                orders.c.id == func.any(_ids(sorted(order_ids))),
                orders.c.payment_status.in_(_UNENDED),
            )
        )
        return list(found.all())

    async def claim_reconcilable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> list[UUID]:
        due = (
            select(orders.c.id)
            .where(orders.c.payment_status.in_(_UNENDED), orders.c.reconcile_at <= now)
            .order_by(orders.c.reconcile_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.scalars(
            update(orders)
            .where(orders.c.id.in_(due))
            .values(reconcile_at=again_at)
            .returning(orders.c.id)
        )
        return list(claimed.all())

    async def _take_stock(self, order_ids: list[UUID], *, sold: bool) -> None:
        """Turn reserved pieces into sold ones, or back into free ones; locks in order of ids."""
        reserved = (
            select(order_lines.c.product_id, func.sum(order_lines.c.quantity).label("quantity"))
            .where(
                order_lines.c.order_id == func.any(_ids(order_ids)), order_lines.c.stock_reserved
            )
            .group_by(order_lines.c.product_id)
        )
        quantities = dict((await self._session.execute(reserved)).all())
        if not quantities:
            return
        product_ids = sorted(quantities)
        await self._session.execute(
            select(products.c.id)
            .where(products.c.id == func.any(_ids(product_ids)))
            .order_by(products.c.id)
            .with_for_update()
        )
        taken = unnested(
            "taken",
            Values("product_id", Uuid(), product_ids),
            Values("quantity", Integer(), [quantities[p] for p in product_ids]),
        )
        left = products.c.stock - taken.c.quantity
        ran_out = (left == 0) & (products.c.status == ProductStatus.ACTIVE)
        sold_out = {
            "stock": left,
            "status": case((ran_out, ProductStatus.OUT_OF_STOCK), else_=products.c.status),
        }
        await self._session.execute(
            update(products)
            .where(products.c.id == taken.c.product_id)
            .values(reserved=products.c.reserved - taken.c.quantity, **(sold_out if sold else {}))
        )


def _ids(values: Sequence[UUID]) -> Any:
    return bindparam(None, list(values), type_=ARRAY(Uuid))
