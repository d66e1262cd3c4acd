"""Orders. Settlement is set-based: its statements do not grow with the batch."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Text,
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
from sqlalchemy.orm import selectinload

from adapters.postgres.arrays import Values, unnested
from adapters.postgres.catalogue import products
from adapters.postgres.earnings import insert_earnings
from adapters.postgres.media import asset_grants
from adapters.postgres.ordering import order_lines, order_news, orders
from adapters.postgres.repository import PostgresRepository
from domain.catalogue.product import ProductStatus
from domain.ledger.effects import Part, merge
from domain.ordering.news import OrderNews, news_of
from domain.ordering.order import Order, PaymentStatus
from domain.ordering.settlement import Settlement, SettlementPlan, part_of_leg
from domain.ordering.split import LegKind
from domain.shared.errors import NotFound

_UNENDED = [PaymentStatus.UNPAID, PaymentStatus.PROCESSING]

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

    async def awaiting_address(self, order_ids: Collection[UUID]) -> list[UUID]:
        found = await self._session.scalars(
            select(orders.c.id).where(
                orders.c.id == func.any(_ids(sorted(order_ids))),
                orders.c.ship_to.is_(None),
                func.jsonb_array_length(orders.c.ship_countries) > 0,
            )
        )
        return list(found.all())

    async def take_news(self, order_ids: Collection[UUID]) -> list[OrderNews]:
        wanted = _ids(sorted(order_ids))
        returned = (
            select(func.sum(order_lines.c.returned_cents))
            .where(order_lines.c.order_id == orders.c.id)
            .scalar_subquery()
        )
        await self._session.execute(
            select(orders.c.id)
            .where(orders.c.id == func.any(wanted))
            .order_by(orders.c.id)
            .with_for_update(key_share=True)
        )
        found = await self._session.execute(
            select(
                orders.c.id,
                orders.c.buyer_id,
                orders.c.payment_status,
                orders.c.fulfilment_status,
                orders.c.dispute_status,
                orders.c.delivery_hold,
                orders.c.cancelled_at,
                orders.c.total_cents,
                func.coalesce(returned, 0).label("returned_cents"),
            )
            .where(orders.c.id == func.any(wanted))
            .order_by(orders.c.id)
        )
        news = [_news(row) for row in found]
        if not news:
            return []
        now = unnested(
            "news",
            Values("order_id", Uuid(), [one.order_id for one in news]),
            Values("told", Text(), [one.told for one in news]),
        )
        statement = insert(order_news).from_select(
            ["order_id", "told"], select(now.c.order_id, now.c.told)
        )
        taken = await self._session.scalars(
            statement.on_conflict_do_update(
                index_elements=["order_id"],
                set_={"told": statement.excluded.told},
                where=order_news.c.told != statement.excluded.told,
            ).returning(order_news.c.order_id)
        )
        fresh = set(taken)
        return [one for one in news if one.order_id in fresh]

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


def _news(row: Any) -> OrderNews:
    return news_of(
        row.id,
        row.buyer_id,
        payment=row.payment_status,
        fulfilment=row.fulfilment_status,
        dispute=row.dispute_status,
        hold=row.delivery_hold,
        cancelled=row.cancelled_at is not None,
        total_cents=row.total_cents,
        returned_cents=int(row.returned_cents),
    )
