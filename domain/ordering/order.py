"""An order: what was bought, at which price, under which licence, and who gets what of it.

Everything that later questions need is frozen when the order is placed. Payment, refund and
fulfilment are separate axes; the status that people read is derived from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.decision import Decision
from domain.licensing.terms import ProductType
from domain.licensing.territories import COUNTRIES
from domain.ordering.address import Address
from domain.ordering.pricing import AppliedDiscount
from domain.ordering.refund import LineRefund, RefundableLine
from domain.ordering.split import Leg
from domain.shared.errors import Conflict, Invalid, RuleRefused
from domain.shared.money import Currency


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class RefundState(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


ANYWHERE = ("*",)
"""`ship_countries` of an order whose buyer tells the payment page where in the world it goes."""


class FulfilmentState(StrEnum):
    """How far the goods are. What is digital is there once it is paid, and stays at none."""

    NONE = "none"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"
    RETURNED = "returned"


class OrderStatus(StrEnum):
    """Derived, for people to read."""

    PENDING = "pending"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class DisputeState(StrEnum):
    """`open` while a bank has not decided; then nothing is refunded, released or transferred."""

    NONE = "none"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DeliveryHold(StrEnum):
    """Why goods that are paid must not be sent. The money is not touched by it."""

    TERRITORY_REFUSED = "territory_refused"


class OrderInvalid(Invalid):
    """The items cannot be one order."""

    code = "order_invalid"


class NotPaid(Conflict):
    """The order has not been paid: there is nothing to give back, and nothing to invoice."""

    code = "order_not_paid"


class DisputeOpen(RuleRefused):
    """The buyer's bank has the money, and decides whose it is: nothing is refundable meanwhile."""

    code = "dispute_open"


@dataclass(eq=False, kw_only=True)
class OrderLine:
    """`total_cents` is unit price × quantity − discount + shipping + tax, and the sum of the legs.

    `platform_discount_cents` is what of the discount the platform bears. Refunded figures include
    refunds that are still pending; `returned_cents` is what has really gone back and is posted.
    `disputed_cents` is what of the line a bank holds, `lost_cents` what disputes took for good.
    """

    id: UUID
    order_id: UUID
    position: int
    product_id: UUID
    store_id: UUID
    creator_id: UUID
    asset_id: UUID
    product_type: ProductType
    title: str
    unit_price_cents: int
    quantity: int
    discount_cents: int = 0
    platform_discount_cents: int = 0
    shipping_cents: int = 0
    tax_cents: int = 0
    total_cents: int
    terms_id: UUID
    terms_version: int
    terms_hash: str
    decision: Decision
    stock_reserved: bool
    discounts: tuple[AppliedDiscount, ...] = ()
    legs: tuple[Leg, ...] = ()
    refunded_cents: int = 0
    refunded_quantity: int = 0
    returned_cents: int = 0
    disputed_cents: int = 0
    lost_cents: int = 0

    @property
    def gone_cents(self) -> int:
        return self.returned_cents + self.lost_cents

    def refundable(self, *, contested: bool = True) -> RefundableLine:
        """What disputes took cannot be refunded, nor what they hold: it would be paid twice. A
        refund that the provider has made already goes before what is `contested`."""
        taken = self.refunded_cents + self.lost_cents + (self.disputed_cents if contested else 0)
        return RefundableLine(
            self.id,
            self.total_cents,
            self.quantity,
            min(taken, self.total_cents),
            self.refunded_quantity,
        )


@dataclass(eq=False, kw_only=True)
class Order:
    """`request_key` is the buyer's idempotency key: one key, one order. A guest has no `buyer_id`,
    and an email address instead. A cart has at most one order that is not over.

    `ship_countries` are those in one of which the payment page asks for an address; none where the
    address was known or nothing is shipped. The page's answer becomes `ship_to`.

    Stock, uses of discounts and of the licences are held until it is paid, or until `expires_at`.
    `reconcile_at` is when the provider is asked how an unpaid order stands, should no word of it
    have arrived. `contested_cents` is what banks hold in open disputes.
    """

    id: UUID
    buyer_id: UUID | None
    buyer_email: str | None = None
    cart_id: UUID | None = None
    request_key: str
    currency: Currency
    total_cents: int
    fees_version: str
    ship_to: Address | None = None
    ship_countries: tuple[str, ...] = ()
    delivery_hold: DeliveryHold | None = None
    shipping_option: str | None = None
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    fulfilment_status: FulfilmentState = FulfilmentState.NONE
    dispute_status: DisputeState = DisputeState.NONE
    contested_cents: int = 0
    session_id: str | None = None
    checkout_url: str | None = None
    payment_id: str | None = None
    charge_id: str | None = None
    created_at: datetime
    expires_at: datetime
    reconcile_at: datetime
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    tax_calculation_id: str | None = None
    tax_report_id: str | None = None
    lines: list[OrderLine] = field(default_factory=list)

    @property
    def reader_id(self) -> UUID:
        """Who reads it as its buyer: a guest, whose token names the order, by the order's id."""
        return self.buyer_id or self.id

    @property
    def is_live(self) -> bool:
        """It is paid, or still may be."""
        return self.payment_status not in (PaymentStatus.FAILED, PaymentStatus.EXPIRED)

    @property
    def awaits_address(self) -> bool:
        """Only the payment page was told where it goes, and it has not been copied yet."""
        return self.ship_to is None and bool(self.ship_countries)

    def deliver_to(self, collected: Address) -> bool:
        """Take the address that the payment page collected; False where one is known already.

        The countries are those that the licences of all lines allowed when the order was placed:
        one that is not among them holds the goods.
        """
        if not self.awaits_address:
            return False
        self.ship_to = collected
        allowed = COUNTRIES if self.ship_countries == ANYWHERE else self.ship_countries
        if collected.country not in allowed:
            self.delivery_hold = DeliveryHold.TERRITORY_REFUSED
        return True

    def lines_of(self, store_ids: frozenset[UUID] | None) -> list[OrderLine]:
        """The lines of some stores; None means all."""
        return [line for line in self.lines if store_ids is None or line.store_id in store_ids]

    def intend_refund(self, refunds: Sequence[LineRefund]) -> None:
        """Count a refund against what may still be refunded, before anybody is asked for it."""
        if self.payment_status is not PaymentStatus.PAID:
            raise NotPaid("The order has not been paid.")
        self.require_undisputed()
        self.count_refund(refunds)

    def require_undisputed(self) -> None:
        """Raises DisputeOpen."""
        if self.dispute_status is DisputeState.OPEN or self.contested_cents:
            raise DisputeOpen("The payment is disputed: the bank decides first.")

    def count_refund(self, refunds: Sequence[LineRefund]) -> None:
        """Count a refund that the provider has made or was asked for."""
        by_id = {line.id: line for line in self.lines}
        for refund in refunds:
            line = by_id[refund.line_id]
            line.refunded_cents += refund.amount_cents
            line.refunded_quantity += refund.quantity

    def abandon_refund(self, refunds: Sequence[LineRefund]) -> None:
        """A refund failed: what it had counted may be refunded again."""
        by_id = {line.id: line for line in self.lines}
        for refund in refunds:
            line = by_id[refund.line_id]
            line.refunded_cents -= refund.amount_cents
            line.refunded_quantity -= refund.quantity


def status_of(
    payment: PaymentStatus,
    fulfilment: FulfilmentState = FulfilmentState.NONE,
    *,
    cancelled: bool = False,
) -> OrderStatus:
    """The one word for an order; `cancelled` is a paid order that somebody called off."""
    match payment:
        case PaymentStatus.FAILED | PaymentStatus.EXPIRED:
            return OrderStatus.CANCELLED
        case PaymentStatus.UNPAID | PaymentStatus.PROCESSING:
            return OrderStatus.PENDING
    if cancelled:
        return OrderStatus.CANCELLED
    match fulfilment:
        case FulfilmentState.NONE:
            return OrderStatus.PAID
        case FulfilmentState.PARTIAL:
            return OrderStatus.PROCESSING
        case FulfilmentState.FULFILLED:
            return OrderStatus.SHIPPED
        case FulfilmentState.DELIVERED | FulfilmentState.RETURNED:
            return OrderStatus.DELIVERED


def refund_state_of(*, total_cents: int, returned_cents: int) -> RefundState:
    if returned_cents == 0:
        return RefundState.NONE
    return RefundState.FULL if returned_cents >= total_cents else RefundState.PARTIAL
