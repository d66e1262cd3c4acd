"""Refunds and lost disputes ask for credit notes, which together take back what was invoiced."""

from uuid import UUID

import msgspec

from application.ordering.invoices import (
    ISSUE_CREDIT_NOTE,
    IssueCreditNote,
    issue_credit_note,
    issue_invoice,
)
from domain.ordering.invoice import Invoice, Party
from tests.application.ordering.conftest import Desk


async def credit_what_is_asked(desk: Desk, order_id: UUID) -> list[Invoice]:
    """Handle all messages twice, for each may come twice."""
    asked = await desk.rows(
        "SELECT convert_from(payload, 'UTF8') FROM outbox_messages "
        "WHERE topic = :topic ORDER BY id",
        topic=ISSUE_CREDIT_NOTE,
    )
    for (payload,) in asked * 2:
        wanted = msgspec.json.decode(str(payload), type=IssueCreditNote)
        await issue_credit_note(wanted, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)
    async with desk.new_uow() as uow:
        return await uow.invoices.credit_notes(order_id)


async def test_a_refund_and_a_lost_dispute_have_a_note_each(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 4000))
    order_id = await desk.buy(*shop.products)
    await issue_invoice(
        order_id,
        uow=desk.new_uow(),
        seller=Party(name="Likeness"),
        clock=desk.clock,
        ids=desk.ids,
    )
    refund_id = await desk.refund(order_id, 1300)
    dispute_id = await desk.dispute(order_id)
    assert len(await credit_what_is_asked(desk, order_id)) == 1
    await desk.decide(dispute_id, "lost")

    of_refund, of_dispute = await credit_what_is_asked(desk, order_id)

    assert (of_refund.refund_id, of_refund.total_cents) == (refund_id, 1300)
    assert (of_dispute.refund_id, of_dispute.total_cents) == (None, 5200)
    async with desk.new_uow() as uow:
        invoice = await uow.invoices.of_order(order_id)
    assert invoice is not None
    assert of_refund.total_cents + of_dispute.total_cents == invoice.total_cents


async def test_a_dispute_that_is_won_has_no_note(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    dispute_id = await desk.dispute(order_id)
    await desk.decide(dispute_id, "won")
    assert await credit_what_is_asked(desk, order_id) == []
