"""Number invoices and credit notes, in the worker, after the money has moved.

The order's row is held first, then the series': who comes second finds what is there, and takes
no number. Number and paper are one transaction: whatever dies gives its number back.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import Message, RetryLater
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.invoice import (
    InvoiceKind,
    Number,
    Party,
    buyer_of,
    credit_note_of,
    credited_lines,
    invoice_of,
)
from domain.ordering.order import Order
from domain.ordering.refund import LineRefund, RefundStatus
from domain.shared.errors import NotFound

ISSUE_INVOICE = "invoices.issue"
ISSUE_CREDIT_NOTE = "invoices.credit"
INVOICE_FIRST = timedelta(seconds=5)


class IssueInvoice(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID


class IssueCreditNote(msgspec.Struct, frozen=True, kw_only=True):
    """For a refund, or for a dispute with what it took of each line."""

    order_id: UUID
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    lost: list[LineRefund] = []


async def issue_invoices(
    messages: Sequence[Message],
    *,
    new_uow: Callable[[], UnitOfWork],
    seller: Party,
    clock: Clock,
    ids: Ids,
) -> None:
    """Handles `invoices.issue`, one after the other: side by side they would wait for the series,
    each with a connection. When one raises, each of them is tried again by itself."""
    for message in messages:
        wanted = msgspec.json.decode(message.payload, type=IssueInvoice)
        await issue_invoice(wanted.order_id, uow=new_uow(), seller=seller, clock=clock, ids=ids)


async def issue_invoice(
    order_id: UUID, *, uow: UnitOfWork, seller: Party, clock: Clock, ids: Ids
) -> None:
    """Write a paid order's invoice, once. Raises NotFound, NotPaid."""
    async with uow:
        order = await uow.orders.get(order_id, lock=True)
        if await uow.invoices.of_order(order_id) is not None:
            return
        buyer = await _buyer(order, uow=uow)
        now = clock.now()
        uow.invoices.add(
            invoice_of(
                order,
                await _number(InvoiceKind.INVOICE, uow=uow, at=now),
                invoice_id=ids.new(),
                seller=seller,
                buyer=buyer,
                at=now,
            )
        )
        await uow.commit()


async def issue_credit_note(
    wanted: IssueCreditNote, *, uow: UnitOfWork, clock: Clock, ids: Ids
) -> None:
    """Correct the order's invoice by what a refund or a lost dispute took, once.

    Raises RetryLater while there is no invoice, NotFound.
    """
    async with uow:
        await uow.orders.get(wanted.order_id, lock=True)
        notes = await uow.invoices.credit_notes(wanted.order_id)
        cause = (wanted.refund_id, wanted.dispute_id)
        if any((note.refund_id, note.dispute_id) == cause for note in notes):
            return
        invoice = await uow.invoices.of_order(wanted.order_id)
        if invoice is None:
            raise RetryLater("the order has not been invoiced yet", delay=INVOICE_FIRST)
        lines = credited_lines(invoice, await _parts(wanted, uow=uow), before=notes)
        if not lines:
            return
        now = clock.now()
        uow.invoices.add(
            credit_note_of(
                invoice,
                lines,
                await _number(InvoiceKind.CREDIT_NOTE, uow=uow, at=now),
                note_id=ids.new(),
                refund_id=wanted.refund_id,
                dispute_id=wanted.dispute_id,
                at=now,
            )
        )
        await uow.commit()


async def _parts(wanted: IssueCreditNote, *, uow: UnitOfWork) -> Sequence[LineRefund]:
    """A refund that the bank sent back had succeeded: the buyer is paid in another way."""
    if wanted.refund_id is None:
        return wanted.lost
    refund = await uow.refunds.get(wanted.refund_id)
    happened = refund.status in (RefundStatus.SUCCEEDED, RefundStatus.RETURNED)
    return refund.lines if happened else ()


async def _buyer(order: Order, *, uow: UnitOfWork) -> Party:
    if order.buyer_id is None:
        return buyer_of(order, name=None, email=None)
    try:
        user = await uow.users.get(order.buyer_id)
    except NotFound:
        return buyer_of(order, name=None, email=None)
    return buyer_of(order, name=user.display_name, email=user.email)


async def _number(kind: InvoiceKind, *, uow: UnitOfWork, at: datetime) -> Number:
    return Number(kind, at.year, await uow.invoices.next_in_series(kind, at.year))
