"""Orders and refunds in dicts, with what a settlement does to earnings, stock and assets."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from adapters.memory.catalogue import MemoryProducts
from adapters.memory.media import MemoryAssets
from adapters.memory.repository import MemoryRepository, Table, UniqueKeys, already_exists
from application.ports.media import CleanGrant
from domain.ledger.earning import Earning
from domain.ledger.effects import merge
from domain.ordering.cart import CartOrdered
from domain.ordering.dispute import Dispute
from domain.ordering.invoice import Invoice, InvoiceKind
from domain.ordering.news import OrderNews, news_of_order
from domain.ordering.order import Order, PaymentStatus
from domain.ordering.refund import Refund
from domain.ordering.settlement import Settlement, SettlementPlan, part_of_leg

_LIVE = (PaymentStatus.UNPAID, PaymentStatus.PROCESSING, PaymentStatus.PAID)
ORDER_KEYS: UniqueKeys[Order] = {
    lambda order: (
        order.buyer_id or order.buyer_email,
        order.request_key,
    ): already_exists,
    lambda order: order.cart_id if order.payment_status in _LIVE else None: lambda: CartOrdered(
        "An order of this cart is not over yet."
    ),
    lambda order: order.session_id: already_exists,
    lambda order: order.charge_id: already_exists,
}
DISPUTE_KEYS: UniqueKeys[Dispute] = {lambda dispute: dispute.provider_id: already_exists}
REFUND_KEYS: UniqueKeys[Refund] = {
    lambda refund: (refund.order_id, refund.request_key): already_exists,
    lambda refund: refund.provider_id: already_exists,
}
INVOICE_KEYS: UniqueKeys[Invoice] = {
    lambda paper: (paper.kind, paper.year, paper.sequence): already_exists,
    lambda paper: paper.order_id if paper.kind is InvoiceKind.INVOICE else None: already_exists,
    lambda paper: paper.refund_id: already_exists,
    lambda paper: paper.dispute_id: already_exists,
}

_UNENDED = (PaymentStatus.UNPAID, PaymentStatus.PROCESSING)


class MemoryOrders(MemoryRepository[Order]):
    """See `application.ports.ordering.Orders`."""

    def __init__(
        self,
        table: Table[Order],
        *,
        products: MemoryProducts,
        earnings: MemoryRepository[Earning],
        assets: MemoryAssets,
        told: dict[UUID, str],
    ) -> None:
        super().__init__(table)
        self._told = told
        self._products = products
        self._earnings = earnings
        self._assets = assets

    async def by_request_key(
        self, buyer_id: UUID | None, request_key: str, *, guest_email: str | None = None
    ) -> Order | None:
        buyer = buyer_id or guest_email
        found = self._where(
            lambda o: (o.buyer_id or o.buyer_email, o.request_key) == (buyer, request_key)
        )
        return next(found, None)

    async def settlement_plans(self, order_ids: Collection[UUID]) -> list[SettlementPlan]:
        return [_plan(order) for order in self._among(order_ids)]

    async def taxed_by_provider(self, order_ids: Collection[UUID]) -> list[UUID]:
        return [order.id for order in self._among(order_ids) if order.tax_calculation_id]

    async def awaiting_address(self, order_ids: Collection[UUID]) -> list[UUID]:
        return [order.id for order in self._among(order_ids) if order.awaits_address]

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        for settlement in settlements:
            capture = settlement.capture
            order = await self.get(capture.order_id)
            order.payment_status = PaymentStatus.PAID
            order.payment_id = capture.payment_id
            order.charge_id = capture.charge_id
            order.paid_at = settlement.settled_at
            for earning in settlement.earnings:
                self._earnings.add(Earning(**earning._asdict()))
            self._take_stock(order, sold=True)
            await self._assets.grant_clean(
                [
                    CleanGrant(asset_id=line.asset_id, user_id=order.reader_id, order_id=order.id)
                    for line in order.lines
                ]
            )

    async def close_unpaid(self, order_id: UUID, *, status: PaymentStatus) -> bool:
        order = self._peek(order_id)
        if order is None or order.payment_status not in _UNENDED:
            return False
        order.payment_status = status
        self._take_stock(order, sold=False)
        for line in order.lines:
            line.stock_reserved = False
        return True

    async def by_charge(self, charge_id: str) -> UUID | None:
        found = self._where(lambda order: order.charge_id == charge_id)
        return next((order.id for order in found), None)

    async def charges(self, order_ids: Collection[UUID]) -> dict[UUID, str]:
        return {order.id: order.charge_id for order in self._among(order_ids) if order.charge_id}

    async def take_news(self, order_ids: Collection[UUID]) -> list[OrderNews]:
        news = [news_of_order(order) for order in self._among(order_ids)]
        fresh = [one for one in news if self._told.get(one.order_id) != one.told]
        self._told.update((one.order_id, one.told) for one in fresh)
        return fresh

    async def unended(self, order_ids: Collection[UUID]) -> list[UUID]:
        return [o.id for o in self._among(order_ids) if o.payment_status in _UNENDED]

    async def claim_reconcilable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> list[UUID]:
        due = [
            order
            for order in self._where(lambda order: order.payment_status in _UNENDED)
            if order.reconcile_at <= now
        ]
        claimed = sorted(due, key=lambda order: order.reconcile_at)[:limit]
        for order in claimed:
            order.reconcile_at = again_at
        return [order.id for order in claimed]

    def _among(self, order_ids: Collection[UUID]) -> Iterable[Order]:
        return sorted(self._where(lambda o: o.id in order_ids), key=lambda order: order.id)

    def _take_stock(self, order: Order, *, sold: bool) -> None:
        for line in order.lines:
            if line.stock_reserved:
                self._products.take(line.product_id, line.quantity, sold=sold)


def _plan(order: Order) -> SettlementPlan:
    return SettlementPlan(
        order.id,
        order.buyer_id,
        order.currency,
        order.total_cents,
        order.payment_status,
        order.charge_id,
        parts=merge(
            part_of_leg(leg.kind, leg.payee_id, leg.amount_cents)
            for line in order.lines
            for leg in line.legs
        ),
    )


class MemoryDisputes(MemoryRepository[Dispute]):
    async def of_order(self, order_id: UUID) -> list[Dispute]:
        found = self._where(lambda dispute: dispute.order_id == order_id)
        return sorted(found, key=lambda dispute: dispute.id)


class MemoryRefunds(MemoryRepository[Refund]):
    async def by_request_key(self, order_id: UUID, request_key: str) -> Refund | None:
        key = (order_id, request_key)
        return next(self._where(lambda r: (r.order_id, r.request_key) == key), None)

    async def by_provider_id(self, provider_id: str) -> Refund | None:
        return next(self._where(lambda refund: refund.provider_id == provider_id), None)


class MemoryInvoices(MemoryRepository[Invoice]):
    async def next_in_series(self, kind: InvoiceKind, year: int) -> int:
        taken = self._where(lambda paper: (paper.kind, paper.year) == (kind, year))
        return max((paper.sequence for paper in taken), default=0) + 1

    async def of_order(self, order_id: UUID) -> Invoice | None:
        key = (order_id, InvoiceKind.INVOICE)
        return next(self._where(lambda paper: (paper.order_id, paper.kind) == key), None)

    async def credit_notes(self, order_id: UUID) -> list[Invoice]:
        key = (order_id, InvoiceKind.CREDIT_NOTE)
        found = self._where(lambda paper: (paper.order_id, paper.kind) == key)
        return sorted(found, key=lambda paper: (paper.year, paper.sequence))
