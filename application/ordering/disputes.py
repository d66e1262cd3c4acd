"""What the provider tells of disputes, merged into what is known, and booked once.

Every snapshot ends here: webhook, redelivery or sweep. The order's row is held, so that refunds and
disputes of one order come one after the other, and either order leaves the same books.
"""

from datetime import datetime
from uuid import UUID

from application.ordering.files import withdraw_paid_back
from application.ordering.invoices import ISSUE_CREDIT_NOTE, IssueCreditNote
from application.ordering.taking_back import Cause, take_back
from application.ordering.telling import has_changed
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import DisputeChanged
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import dispute_effects
from domain.ledger.posting import Transaction
from domain.ordering.dispute import Dispute, dispute_state_of
from domain.ordering.giving_back import Change, contest, lose, regain
from domain.ordering.order import Order
from domain.ordering.refund import LineRefund
from domain.shared.disputes import DisputeContradiction, Step, StepKind
from domain.shared.errors import NotFound


class DisputedOrderUnknown(NotFound):
    """The disputed charge paid no order that we know: the settlement may still come."""

    code = "disputed_order_unknown"


async def record_dispute(said: DisputeChanged, *, uow: UnitOfWork, clock: Clock, ids: Ids) -> UUID:
    """Note what the provider says of a dispute, and book what newly follows.

    Raises DisputedOrderUnknown and DisputeContradiction.
    """
    async with uow:
        order_id = await uow.orders.by_charge(said.charge_id)
        if order_id is None:
            raise DisputedOrderUnknown("order of charge", said.charge_id)
        order = await uow.orders.get(order_id, lock=True)
        known = await uow.disputes.of_order(order_id)
        dispute = next((d for d in known if d.provider_id == said.provider_id), None)
        if said.currency != order.currency:
            raise DisputeContradiction(
                "The dispute is in another currency than its order.", provider_id=said.provider_id
            )
        now = clock.now()
        if dispute is None:
            dispute = _new(said, order, dispute_id=ids.new(), at=now)
            uow.disputes.add(dispute)
            known = [*known, dispute]
        for step in dispute.hear(said.report(), at=now):
            await _book(step, dispute, order, uow=uow, at=now, ids=ids)
        order.dispute_status = dispute_state_of(known)
        has_changed(order_id, uow)
        await uow.commit()
    return dispute.id


async def _book(
    step: Step, dispute: Dispute, order: Order, *, uow: UnitOfWork, at: datetime, ids: Ids
) -> None:
    match step.kind:
        case StepKind.OPENED:
            change = contest(order, step.amount_cents)
        case StepKind.WON:
            change = regain(order, step.amount_cents)
        case StepKind.LOST:
            change = _lose(step, dispute, order, uow=uow)
            await withdraw_paid_back(order, uow=uow)
    cause = Cause(dispute_id=dispute.id)
    parts = await take_back(change, order, cause, uow=uow, at=at, ids=ids)
    posting: Transaction | None
    match step.kind:
        case StepKind.OPENED:
            posting = dispute_effects.dispute_opened(
                dispute_id=dispute.id,
                order_id=order.id,
                currency=order.currency,
                parts=parts,
                fee_cents=step.fee_cents,
                at=at,
            )
        case StepKind.WON:
            posting = dispute_effects.dispute_won(
                dispute_id=dispute.id,
                order_id=order.id,
                currency=order.currency,
                parts=parts,
                fee_cents=step.fee_cents,
                at=at,
            )
        case StepKind.LOST:
            posting = dispute_effects.dispute_lost(
                dispute_id=dispute.id,
                order_id=order.id,
                currency=order.currency,
                parts=parts,
                at=at,
            )
    if posting is not None:
        await uow.ledger.post([posting])


def _lose(step: Step, dispute: Dispute, order: Order, *, uow: UnitOfWork) -> Change:
    """What is lost of each line is told to the credit note: later only the sum is known."""
    before = [line.lost_cents for line in order.lines]
    change = lose(order, step.amount_cents)
    lost = [
        LineRefund(line.id, line.lost_cents - was)
        for line, was in zip(order.lines, before, strict=True)
        if line.lost_cents > was
    ]
    uow.outbox.add(
        ISSUE_CREDIT_NOTE,
        IssueCreditNote(order_id=order.id, dispute_id=dispute.id, lost=lost),
        key=str(dispute.id),
    )
    return change


def _new(said: DisputeChanged, order: Order, *, dispute_id: UUID, at: datetime) -> Dispute:
    dispute = Dispute(
        id=dispute_id,
        provider_id=said.provider_id,
        order_id=order.id,
        charge_id=said.charge_id,
        amount_cents=said.amount_cents,
        currency=order.currency,
        reason=said.reason,
        status=said.status,
        created_at=at,
    )
    dispute.note(at, str(said.status))
    return dispute
