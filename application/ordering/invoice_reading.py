"""Who reads which invoice: the buyer all of it, a store its own lines and nothing of the buyer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, stores_for
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ordering.invoice import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    NotInvoicedYet,
    Party,
    sums_of,
    tax_totals,
)
from domain.ordering.order import NotPaid, Order, PaymentStatus
from domain.shared.errors import NotFound


class TaxTotalView(msgspec.Struct, frozen=True, kw_only=True):
    """The lines that bear tax, or those that bear none, in sum."""

    taxed: bool
    net_cents: int
    tax_cents: int
    total_cents: int


class InvoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice, or a credit note with what it takes back. `extract`: what is shown are one
    seller's lines and their sums, without the buyer."""

    id: UUID
    kind: InvoiceKind
    number: str
    issued_at: datetime
    order_id: UUID
    paid_at: datetime
    corrects: str | None
    refund_id: UUID | None
    dispute_id: UUID | None
    currency: str
    seller: Party
    buyer: Party | None
    lines: list[InvoiceLine]
    tax_totals: list[TaxTotalView]
    net_cents: int
    tax_cents: int
    total_cents: int
    extract: bool


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    quantity: int
    paid_cents: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """That an order was paid, and when. `number` is its invoice's."""

    number: str
    issued_at: datetime
    order_id: UUID
    paid_at: datetime
    currency: str
    seller: Party
    buyer: Party | None
    lines: list[ReceiptLine]
    paid_cents: int
    extract: bool


_Stores = frozenset[UUID] | None
"""The stores whose lines may be seen; None means all of it."""


async def show_invoice(order_id: UUID, *, actor: Actor, uow: UnitOfWork) -> InvoiceView:
    """Raises NotFound, NotPaid, NotInvoicedYet."""
    async with uow:
        stores = await _visible(order := await uow.orders.get(order_id), actor=actor, uow=uow)
        return _view(await _invoice(order, uow=uow), stores)


async def show_receipt(order_id: UUID, *, actor: Actor, uow: UnitOfWork) -> Receipt:
    """Raises NotFound, NotPaid, NotInvoicedYet."""
    invoice = await show_invoice(order_id, actor=actor, uow=uow)
    return Receipt(
        number=invoice.number,
        issued_at=invoice.issued_at,
        order_id=invoice.order_id,
        paid_at=invoice.paid_at,
        currency=invoice.currency,
        seller=invoice.seller,
        buyer=invoice.buyer,
        lines=[
            ReceiptLine(title=line.title, quantity=line.quantity, paid_cents=line.total_cents)
            for line in invoice.lines
        ],
        paid_cents=invoice.total_cents,
        extract=invoice.extract,
    )


async def list_credit_notes(order_id: UUID, *, actor: Actor, uow: UnitOfWork) -> list[InvoiceView]:
    """Oldest first; a store sees those that take something back of its lines. Raises NotFound."""
    async with uow:
        stores = await _visible(await uow.orders.get(order_id), actor=actor, uow=uow)
        notes = await uow.invoices.credit_notes(order_id)
    return [_view(note, stores) for note in notes if _lines(note, stores)]


async def show_credit_note(
    order_id: UUID, note_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> InvoiceView:
    """Raises NotFound."""
    for note in await list_credit_notes(order_id, actor=actor, uow=uow):
        if note.id == note_id:
            return note
    raise NotFound("credit note", note_id)


async def _visible(order: Order, *, actor: Actor, uow: UnitOfWork) -> _Stores:
    if actor.is_admin or actor.user_id == order.reader_id:
        return None
    own = {store.id for store in await stores_for(StoreAct.VIEW, actor=actor, uow=uow)}
    visible = frozenset(own & {line.store_id for line in order.lines})
    if not visible:
        raise NotFound("order", order.id)
    return visible


async def _invoice(order: Order, *, uow: UnitOfWork) -> Invoice:
    if order.payment_status is not PaymentStatus.PAID:
        raise NotPaid("An order is invoiced once it is paid.")
    invoice = await uow.invoices.of_order(order.id)
    if invoice is None:
        raise NotInvoicedYet("The invoice is being numbered: ask again shortly.")
    return invoice


def _lines(paper: Invoice, stores: _Stores) -> Sequence[InvoiceLine]:
    return [line for line in paper.lines if stores is None or line.store_id in stores]


def _view(paper: Invoice, stores: _Stores) -> InvoiceView:
    lines = list(_lines(paper, stores))
    return InvoiceView(
        id=paper.id,
        kind=paper.kind,
        number=paper.number,
        issued_at=paper.issued_at,
        order_id=paper.order_id,
        paid_at=paper.paid_at,
        corrects=paper.corrects,
        refund_id=paper.refund_id,
        dispute_id=paper.dispute_id,
        currency=paper.currency,
        seller=paper.seller,
        buyer=paper.buyer if stores is None else None,
        lines=lines,
        tax_totals=[
            TaxTotalView(taxed=group.taxed, **group.sums._asdict()) for group in tax_totals(lines)
        ],
        **sums_of(lines)._asdict(),
        extract=stores is not None,
    )
