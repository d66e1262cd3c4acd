"""Invoices of orders, and the credit notes that correct them.

An invoice is the order as it was paid, frozen. A credit note takes back a part of it: one for each
refund that succeeded and each dispute that was lost. What it takes of a line is divided over the
line's goods, shipping and tax as refunds are divided over legs: cumulatively, so that notes which
together take everything add up to the invoice, in each column and to the cent.

Numbers have no gaps: `INV-2026-000001` and on, one series for each kind and year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.ordering.address import Address
from domain.ordering.order import NotPaid, Order, OrderLine
from domain.ordering.refund import LineRefund, leg_reversals
from domain.shared.errors import Conflict
from domain.shared.money import Currency

NUMBERED_WITHIN_S = 5


class NotInvoicedYet(Conflict):
    """The order is paid and its invoice is about to be numbered: ask again shortly."""

    code = "not_invoiced_yet"
    retry_after_s = NUMBERED_WITHIN_S


class InvoiceKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


_PREFIX = {InvoiceKind.INVOICE: "INV", InvoiceKind.CREDIT_NOTE: "CRN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who sells, or who buys. Only what is known is there."""

    name: str | None = None
    email: str | None = None
    address: tuple[str, ...] = ()
    tax_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """`net_cents` is price − discount + shipping; `total_cents` is net + tax.

    `quantity` is 0 on a credit note of an amount that is not so many pieces.
    """

    line_id: UUID
    store_id: UUID
    title: str
    quantity: int
    unit_price_cents: int
    discount_cents: int
    shipping_cents: int
    net_cents: int
    tax_cents: int
    total_cents: int


class Sums(NamedTuple):
    net_cents: int
    tax_cents: int
    total_cents: int


class TaxTotal(NamedTuple):
    """The lines with tax, or those without, in sum."""

    taxed: bool
    sums: Sums


class Number(NamedTuple):
    """A place in a series."""

    kind: InvoiceKind
    year: int
    sequence: int

    def __str__(self) -> str:
        return f"{_PREFIX[self.kind]}-{self.year}-{self.sequence:06d}"


@dataclass(eq=False, kw_only=True)
class Invoice:
    """An invoice or a credit note; never changed. A credit note `corrects` the invoice of that
    number, for a refund or a dispute; its amounts are what is taken back, above zero."""

    id: UUID
    kind: InvoiceKind
    year: int
    sequence: int
    number: str
    order_id: UUID
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    corrects: str | None = None
    currency: Currency
    seller: Party
    buyer: Party
    lines: tuple[InvoiceLine, ...]
    net_cents: int
    tax_cents: int
    total_cents: int
    paid_at: datetime
    issued_at: datetime


def sums_of(lines: Iterable[InvoiceLine]) -> Sums:
    found = list(lines)
    return Sums(
        sum(line.net_cents for line in found),
        sum(line.tax_cents for line in found),
        sum(line.total_cents for line in found),
    )


def tax_totals(lines: Sequence[InvoiceLine]) -> list[TaxTotal]:
    """Which lines bore tax and which did not; a group that is empty is left out."""
    groups = {
        taxed: [line for line in lines if (line.tax_cents > 0) is taxed] for taxed in (True, False)
    }
    return [TaxTotal(taxed, sums_of(group)) for taxed, group in groups.items() if group]


def buyer_of(order: Order, *, name: str | None, email: str | None) -> Party:
    """The address is that to which the goods go, where the order has one."""
    shipped_to = order.ship_to
    return Party(
        name=name or (shipped_to.name if shipped_to else None),
        email=order.buyer_email or email,
        address=_written(shipped_to) if shipped_to else (),
    )


def invoice_of(
    order: Order, number: Number, *, invoice_id: UUID, seller: Party, buyer: Party, at: datetime
) -> Invoice:
    """Raises NotPaid."""
    if order.paid_at is None:
        raise NotPaid("An order is invoiced once it is paid.")
    lines = tuple(_invoiced(line) for line in order.lines)
    sums = sums_of(lines)
    if sums.total_cents != order.total_cents:
        raise ValueError(f"the invoice of order {order.id} would not be its total")
    return Invoice(
        id=invoice_id,
        **number._asdict(),
        number=str(number),
        order_id=order.id,
        currency=order.currency,
        seller=seller,
        buyer=buyer,
        lines=lines,
        **sums._asdict(),
        paid_at=order.paid_at,
        issued_at=at,
    )


def credited_lines(
    invoice: Invoice, parts: Sequence[LineRefund], *, before: Sequence[Invoice]
) -> tuple[InvoiceLine, ...]:
    """What `parts` take back of an invoice of which the notes `before` took back some already.

    Never more than is left: money given back beyond the price corrects no invoice. So there may
    be no line.
    """
    invoiced = {line.line_id: line for line in invoice.lines}
    credited = dict.fromkeys(invoiced, 0)
    for note in before:
        for line in note.lines:
            credited[line.line_id] += line.total_cents
    lines = []
    for part in parts:
        whole, was_cents = invoiced[part.line_id], credited[part.line_id]
        now_cents = min(was_cents + part.amount_cents, whole.total_cents)
        if now_cents > was_cents:
            lines.append(_credited(whole, part, was_cents=was_cents, now_cents=now_cents))
            credited[part.line_id] = now_cents
    return tuple(lines)


def credit_note_of(
    invoice: Invoice,
    lines: tuple[InvoiceLine, ...],
    number: Number,
    *,
    note_id: UUID,
    refund_id: UUID | None = None,
    dispute_id: UUID | None = None,
    at: datetime,
) -> Invoice:
    """Seller and buyer are those of the invoice."""
    if not lines or (refund_id is None) == (dispute_id is None):
        raise ValueError("a credit note takes something back, for a refund or for a dispute")
    return Invoice(
        id=note_id,
        **number._asdict(),
        number=str(number),
        order_id=invoice.order_id,
        refund_id=refund_id,
        dispute_id=dispute_id,
        corrects=invoice.number,
        currency=invoice.currency,
        seller=invoice.seller,
        buyer=invoice.buyer,
        lines=lines,
        **sums_of(lines)._asdict(),
        paid_at=invoice.paid_at,
        issued_at=at,
    )


def _invoiced(line: OrderLine) -> InvoiceLine:
    price_cents = line.unit_price_cents * line.quantity
    return InvoiceLine(
        line_id=line.id,
        store_id=line.store_id,
        title=line.title,
        quantity=line.quantity,
        unit_price_cents=line.unit_price_cents,
        discount_cents=line.discount_cents,
        shipping_cents=line.shipping_cents,
        net_cents=price_cents - line.discount_cents + line.shipping_cents,
        tax_cents=line.tax_cents,
        total_cents=line.total_cents,
    )


def _credited(
    whole: InvoiceLine, part: LineRefund, *, was_cents: int, now_cents: int
) -> InvoiceLine:
    """Goods are credited at what was paid for them: their discount is in that already."""
    goods_cents = whole.net_cents - whole.shipping_cents
    goods, shipping, tax = leg_reversals(
        (goods_cents, whole.shipping_cents, whole.tax_cents),
        refunded_before_cents=was_cents,
        refunded_after_cents=now_cents,
    )
    return InvoiceLine(
        line_id=whole.line_id,
        store_id=whole.store_id,
        title=whole.title,
        quantity=part.quantity,
        unit_price_cents=whole.unit_price_cents,
        discount_cents=0,
        shipping_cents=shipping,
        net_cents=goods + shipping,
        tax_cents=tax,
        total_cents=goods + shipping + tax,
    )


def _written(address: Address) -> tuple[str, ...]:
    place = " ".join(part for part in (address.postal_code, address.city, address.state) if part)
    lines = (address.line1, address.line2, place, address.country)
    return tuple(line for line in lines if line)
