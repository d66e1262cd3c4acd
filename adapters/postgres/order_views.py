"""Reads of orders: SQL into what is shown, one statement a screen."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    func,
    select,
)
from sqlalchemy import text as sql

from adapters.postgres.creators import creators
from adapters.postgres.earnings import reversals, transfers
from adapters.postgres.ordering import order_lines, orders
from adapters.postgres.payees import payees
from adapters.postgres.refunds import refunds
from adapters.postgres.views import Reader
from application.ports.views import (
    EVERY_ORDER,
    Delivery,
    FeeShare,
    OrderFilter,
    OrderLineRecord,
    OrderRecord,
    OrderSummary,
    RefundRecord,
    ReversalRecord,
    TransferRecord,
)
from domain.ordering.order import refund_state_of, status_of
from domain.shared.errors import NotFound

_FEE_SHARES = sql("""
    SELECT e.payee_id, (-sum(e.amount_cents))::bigint AS amount_cents
    FROM ledger_transactions t
    JOIN ledger_entries e ON e.posted_on = t.posted_on AND e.transaction_id = t.id
    WHERE t.order_id = :order_id AND t.kind = 'processing_fee' AND e.payee_id IS NOT NULL
    GROUP BY e.payee_id ORDER BY e.payee_id
    """)


class PostgresOrderViews(Reader):
    """See `application.ports.views.OrderViews`."""

    async def order(self, order_id: UUID) -> OrderRecord:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(ORDER_WITH_LINES, {"order_id": order_id})).all()
        if not rows:
            raise NotFound("order", order_id)
        own = len(_ORDER_FIELDS)
        lines = [OrderLineRecord(**dict(zip(_LINE_FIELDS, row[own:], strict=True))) for row in rows]
        return OrderRecord(**dict(zip(_ORDER_FIELDS, rows[0][:own], strict=True)), lines=lines)

    async def delivery(self, order_id: UUID) -> Delivery | None:
        rows = await self._rows(
            select(orders.c.ship_to, orders.c.delivery_hold).where(
                orders.c.id == order_id, orders.c.ship_to.is_not(None)
            )
        )
        return Delivery(address=rows[0]["ship_to"], hold=rows[0]["delivery_hold"]) if rows else None

    async def of_buyer(
        self,
        buyer_id: UUID,
        *,
        before: UUID | None,
        limit: int,
        wanted: OrderFilter = EVERY_ORDER,
    ) -> list[OrderSummary]:
        own = _SUMMARY.where(orders.c.buyer_id == buyer_id, *_meets(wanted))
        return await self._summaries(own, before=before, limit=limit)

    async def of_store(
        self,
        store_id: UUID,
        *,
        before: UUID | None,
        limit: int,
        wanted: OrderFilter = EVERY_ORDER,
    ) -> list[OrderSummary]:
        own = _SUMMARY.where(order_lines.c.store_id == store_id, *_meets(wanted))
        return await self._summaries(own, before=before, limit=limit)

    async def fee_shares(self, order_id: UUID) -> list[FeeShare]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(_FEE_SHARES, {"order_id": order_id})
            return [FeeShare(**row) for row in rows.mappings()]

    async def transfers(self, order_id: UUID) -> list[TransferRecord]:
        rows = await self._rows(_TRANSFERS.where(transfers.c.order_id == order_id))
        back = await self._rows(_REVERSALS.where(reversals.c.order_id == order_id))
        return [
            TransferRecord(
                **row,
                reversals=[
                    ReversalRecord(**{k: v for k, v in r.items() if k != "transfer_id"})
                    for r in back
                    if r["transfer_id"] == row["id"]
                ],
            )
            for row in rows
        ]

    async def refunds(self, order_id: UUID) -> list[RefundRecord]:
        names = RefundRecord.__struct_fields__
        rows = await self._rows(
            select(*(refunds.c[name] for name in names))
            .where(refunds.c.order_id == order_id)
            .order_by(refunds.c.id)
        )
        return [RefundRecord(**{**row, "lines": list(row["lines"])}) for row in rows]

    async def _summaries(
        self, statement: Select[*tuple[Any, ...]], *, before: UUID | None, limit: int
    ) -> list[OrderSummary]:
        if before is not None:
            statement = statement.where(orders.c.id < before)
        rows = await self._rows(
            statement.group_by(orders.c.id).order_by(orders.c.id.desc()).limit(limit)
        )
        return [
            OrderSummary(
                **{k: v for k, v in row.items() if k not in {"returned_cents", "cancelled_at"}},
                status=status_of(
                    row["payment_status"],
                    row["fulfilment_status"],
                    cancelled=row["cancelled_at"] is not None,
                ),
                refund_status=refund_state_of(
                    total_cents=row["total_cents"], returned_cents=row["returned_cents"]
                ),
                refunded_cents=row["returned_cents"],
            )
            for row in rows
        ]


_ORDER_FIELDS = tuple(name for name in OrderRecord.__struct_fields__ if name != "lines")
_LINE_FIELDS = OrderLineRecord.__struct_fields__
ORDER_WITH_LINES: Select[*tuple[Any, ...]] = (
    select(
        *(orders.c[name] for name in _ORDER_FIELDS),
        *(
            (creators.c.user_id if name == "creator_user_id" else order_lines.c[name]).label(
                f"line_{name}"
            )
            for name in _LINE_FIELDS
        ),
    )
    .join(order_lines, order_lines.c.order_id == orders.c.id)
    .join(creators, creators.c.id == order_lines.c.creator_id)
    .where(orders.c.id == bindparam("order_id"))
    .order_by(order_lines.c.position)
)
_TRANSFERS: Select[*tuple[Any, ...]] = (
    select(
        *(
            transfers.c[name]
            for name in TransferRecord.__struct_fields__
            if name not in {"payee", "status", "reversals"}
        ),
        transfers.c.state.label("status"),
        func.concat(sql("payees.kind"), ":", payees.c.id).label("payee"),
    )
    .join(payees, payees.c.id == transfers.c.payee_id)
    .order_by(transfers.c.id)
)
_REVERSALS: Select[*tuple[Any, ...]] = select(
    reversals.c.transfer_id,
    *(reversals.c[name] for name in ReversalRecord.__struct_fields__ if name != "status"),
    reversals.c.state.label("status"),
).order_by(reversals.c.id)
_BIGINT = orders.c.total_cents.type
_SUMMARY: Select[*tuple[Any, ...]] = select(
    orders.c.id,
    orders.c.payment_status,
    orders.c.fulfilment_status,
    orders.c.dispute_status,
    orders.c.delivery_hold,
    orders.c.cancelled_at,
    orders.c.currency,
    orders.c.created_at,
    orders.c.paid_at,
    func.sum(order_lines.c.total_cents).cast(_BIGINT).label("total_cents"),
    func.sum(order_lines.c.returned_cents).cast(_BIGINT).label("returned_cents"),
).join(order_lines, order_lines.c.order_id == orders.c.id)


def _meets(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.fulfilment is not None:
        conditions.append(orders.c.fulfilment_status == wanted.fulfilment)
    if wanted.dispute is not None:
        conditions.append(orders.c.dispute_status == wanted.dispute)
    if wanted.held is not None:
        held = orders.c.delivery_hold
        conditions.append(held.is_not(None) if wanted.held else held.is_(None))
    return conditions
