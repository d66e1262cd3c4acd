"""What every store of invoices promises; numbering at once is PostgreSQL's to show."""

import asyncio
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.system import ManualClock
from adapters.system.ids import UuidV7Ids
from application.ordering.invoices import (
    IssueCreditNote,
    IssueInvoice,
    issue_credit_note,
    issue_invoice,
    issue_invoices,
)
from application.ports.messages import Message, RetryLater
from application.ports.repository import AlreadyExists
from domain.ordering.invoice import Invoice, InvoiceKind, Number, Party, invoice_of
from domain.ordering.order import Order, PaymentStatus
from domain.ordering.refund import LineRefund, Refund, RefundStatus
from tests.builders import NOON, USD, market, order_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

SELLER = Party(name="Likeness Ltd", address=("1 Market Street", "Dublin"), tax_id="IE1")
CLOCK, IDS = ManualClock(NOON), UuidV7Ids()


async def paid(new_uow: NewUnitOfWork, count: int = 1) -> list[Order]:
    shop = await market(new_uow())
    orders = [order_of(shop.products, quantity=2) for _ in range(count)]
    async with new_uow() as uow:
        for order in orders:
            order.payment_status, order.paid_at = PaymentStatus.PAID, NOON
            order.payment_id, order.charge_id = f"pi_{order.id}", f"ch_{order.id}"
            uow.orders.add(order)
        await uow.commit()
    return orders


def drawn(order: Order, sequence: int) -> Invoice:
    return invoice_of(
        order,
        Number(InvoiceKind.INVOICE, NOON.year, sequence),
        invoice_id=uuid4(),
        seller=SELLER,
        buyer=Party(email="a@x.org"),
        at=NOON,
    )


async def issue(new_uow: NewUnitOfWork, order_id: UUID) -> None:
    await issue_invoice(order_id, uow=new_uow(), seller=SELLER, clock=CLOCK, ids=IDS)


async def credit(new_uow: NewUnitOfWork, wanted: IssueCreditNote) -> None:
    await issue_credit_note(wanted, uow=new_uow(), clock=CLOCK, ids=IDS)


async def refunded(
    new_uow: NewUnitOfWork,
    order: Order,
    amount_cents: int,
    status: RefundStatus = RefundStatus.SUCCEEDED,
) -> IssueCreditNote:
    refund = Refund(
        id=uuid4(),
        order_id=order.id,
        request_key=str(uuid4()),
        amount_cents=amount_cents,
        currency=USD,
        reason="",
        lines=(LineRefund(order.lines[0].id, amount_cents),),
        status=status,
        requested_by=None,
        created_at=NOON,
    )
    async with new_uow() as uow:
        uow.refunds.add(refund)
        await uow.commit()
    return IssueCreditNote(order_id=order.id, refund_id=refund.id)


async def test_an_invoice_is_read_as_it_was_written(new_uow: NewUnitOfWork) -> None:
    [order] = await paid(new_uow)
    async with new_uow() as uow:
        number = await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year)
        uow.invoices.add(written := drawn(order, number))
        await uow.commit()

    async with new_uow() as uow:
        found = await uow.invoices.of_order(order.id)
        assert found is not None
        assert fields_of(found) == fields_of(written)
        assert fields_of(await uow.invoices.get(written.id)) == fields_of(written)
        assert await uow.invoices.of_order(uuid4()) is None
        assert await uow.invoices.credit_notes(order.id) == []


async def test_a_number_that_was_not_committed_is_given_again(new_uow: NewUnitOfWork) -> None:
    [order] = await paid(new_uow)
    async with new_uow() as uow:
        assert await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year) == 1
        uow.invoices.add(drawn(order, 1))
    await issue(new_uow, order.id)
    async with new_uow() as uow:
        found = await uow.invoices.of_order(order.id)
        assert found is not None
        assert found.number == f"INV-{NOON.year}-000001"
        assert await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year) == 2
        assert await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year + 1) == 1
        assert await uow.invoices.next_in_series(InvoiceKind.CREDIT_NOTE, NOON.year) == 1


async def test_an_order_has_one_invoice(new_uow: NewUnitOfWork) -> None:
    [order] = await paid(new_uow)
    await issue(new_uow, order.id)
    await issue(new_uow, order.id)
    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            number = await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year)
            assert number == 2
            uow.invoices.add(drawn(order, number))
            await uow.commit()


async def test_a_refund_that_succeeded_has_one_credit_note(new_uow: NewUnitOfWork) -> None:
    [order] = await paid(new_uow)
    first = await refunded(new_uow, order, 1000)
    with pytest.raises(RetryLater):
        await credit(new_uow, first)
    await issue(new_uow, order.id)
    second = await refunded(new_uow, order, 4000, RefundStatus.RETURNED)
    failed = await refunded(new_uow, order, 700, RefundStatus.FAILED)
    for wanted in (first, failed, first, second, second):
        await credit(new_uow, wanted)

    async with new_uow() as uow:
        invoice = await uow.invoices.of_order(order.id)
        notes = await uow.invoices.credit_notes(order.id)
    assert invoice is not None
    assert [note.total_cents for note in notes] == [1000, 4000]
    assert [note.sequence for note in notes] == [1, 2]
    assert {note.corrects for note in notes} == {invoice.number}
    assert {note.seller for note in notes} == {SELLER}


async def test_fifty_orders_at_once_are_numbered_without_a_gap(
    postgres_uow: NewUnitOfWork,
) -> None:
    """Each is asked for twice, and every fifth is left in the middle of it."""
    orders = await paid(postgres_uow, 50)

    async def leave() -> None:
        async with postgres_uow() as uow:
            await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year)

    await asyncio.gather(
        *(issue(postgres_uow, order.id) for order in orders for _ in range(2)),
        *(leave() for _ in range(10)),
    )

    async with postgres_uow() as uow:
        found = [await uow.invoices.of_order(order.id) for order in orders]
    assert sorted(invoice.sequence for invoice in found if invoice) == list(range(1, 51))


async def test_a_batch_is_numbered(postgres_uow: NewUnitOfWork) -> None:
    orders = await paid(postgres_uow, 3)
    messages = [
        Message(
            id=uuid4(),
            box="outbox",
            topic="invoices.issue",
            payload=msgspec.json.encode(IssueInvoice(order_id=order.id)),
            attempts=1,
            created_at=NOON,
        )
        for order in orders
    ]
    await issue_invoices(messages, new_uow=postgres_uow, seller=SELLER, clock=CLOCK, ids=IDS)
    async with postgres_uow() as uow:
        found = [await uow.invoices.of_order(order.id) for order in orders]
    assert [invoice.sequence for invoice in found if invoice] == [1, 2, 3]


async def test_the_database_refuses_a_gap_and_any_change(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    [order] = await paid(postgres_uow)
    with pytest.raises(DBAPIError, match="without gaps"):
        async with postgres_uow() as uow:
            await uow.invoices.next_in_series(InvoiceKind.INVOICE, NOON.year)
            uow.invoices.add(drawn(order, 2))
            await uow.commit()
    await issue(postgres_uow, order.id)
    for statement in ("UPDATE invoices SET number = 'X'", "DELETE FROM invoices"):
        async with sessions() as session:
            with pytest.raises(DBAPIError, match="never changed"):
                await session.execute(text(statement))
