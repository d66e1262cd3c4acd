"""Send refunds, and note what becomes of them: the provider's word, then the books.

The provider is asked with no transaction open, under the key of the refund. Its word, by answer,
webhook or sweep, ends in `record_refund`, which posts once and asks payees for what was
transferred to them already.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ordering.files import withdraw_paid_back
from application.ordering.invoices import ISSUE_CREDIT_NOTE, IssueCreditNote
from application.ordering.taking_back import Cause, take_back
from application.ordering.tax_reports import REPORT_REFUND, ReportRefund
from application.ordering.telling import has_changed
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.ids import Ids
from application.ports.payments import Payments, ProviderRefund, RefundRequest
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.ledger.posting import Transaction
from domain.ordering.giving_back import give_back
from domain.ordering.order import Order
from domain.ordering.refund import Refund, RefundStatus

SEND_REFUND = "payments.send_refund"


class SendRefund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID


async def send_refund(
    refund_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock, ids: Ids
) -> None:
    """Ask the provider for a refund, or find the one it made when its answer was lost.

    Raises Unavailable and OutcomeUnknown, after which it is called again.
    """
    async with uow:
        refund = await uow.refunds.get(refund_id)
        order = await uow.orders.get(refund.order_id)
    if refund.status is not RefundStatus.PENDING or order.charge_id is None:
        return
    if refund.requested_by is None:
        return  # made at the provider, which tells of it: asking would make another
    try:
        answer = await payments.find_refund(refund_id=refund.id, charge_id=order.charge_id)
        if answer is None:
            answer = await payments.refund(
                RefundRequest(
                    refund_id=refund.id,
                    order_id=order.id,
                    charge_id=order.charge_id,
                    amount_cents=refund.amount_cents,
                    currency=refund.currency,
                    attempt=refund.attempt,
                )
            )
    except Rejected as error:
        await _fail(refund.id, reason=error.reason, uow=uow, clock=clock)
        return
    await record_refund(refund.id, answer, uow=uow, clock=clock, ids=ids)


async def record_refund(
    refund_id: UUID, answer: ProviderRefund, *, uow: UnitOfWork, clock: Clock, ids: Ids
) -> None:
    """Note what the provider says of a refund; what succeeded is posted, once.

    A refund that fails after it had succeeded was sent back by the buyer's bank: what is held for
    the buyer from then on is posted as well. Raises NotFound.
    """
    if answer.status == "failed":
        await _fail(refund_id, reason=answer.failure_reason or "failed", uow=uow, clock=clock)
        return
    async with uow:
        order_id = (await uow.refunds.get(refund_id)).order_id
        order = await uow.orders.get(order_id, lock=True)
        refund = await uow.refunds.get(refund_id, lock=True)
        if refund.status is not RefundStatus.PENDING:
            return
        refund.provider_id = answer.provider_id
        if answer.status == "succeeded":
            await _post(refund, order, uow=uow, at=clock.now(), ids=ids)
        await uow.commit()


async def _post(refund: Refund, order: Order, *, uow: UnitOfWork, at: datetime, ids: Ids) -> None:
    """Take each party's share back: from the hold, from what is available, or by a reversal."""
    refund.status = RefundStatus.SUCCEEDED
    refund.ended_at = at
    has_changed(order.id, uow)
    if order.tax_calculation_id is not None:
        uow.outbox.add(REPORT_REFUND, ReportRefund(refund_id=refund.id))
    uow.outbox.add(
        ISSUE_CREDIT_NOTE,
        IssueCreditNote(order_id=order.id, refund_id=refund.id),
        key=str(refund.id),
    )
    change = give_back(order, refund.lines)
    await withdraw_paid_back(order, uow=uow)
    parts = await take_back(change, order, Cause(refund_id=refund.id), uow=uow, at=at, ids=ids)
    await uow.ledger.post(
        [
            effects.refund(
                refund_id=refund.id,
                order_id=order.id,
                currency=order.currency,
                parts=parts,
                at=at,
            )
        ]
    )


async def _fail(refund_id: UUID, *, reason: str, uow: UnitOfWork, clock: Clock) -> None:
    async with uow:
        order_id = (await uow.refunds.get(refund_id)).order_id
        order = await uow.orders.get(order_id, lock=True)
        refund = await uow.refunds.get(refund_id, lock=True)
        now = clock.now()
        match refund.status:
            case RefundStatus.PENDING:
                refund.status = RefundStatus.FAILED
                order.abandon_refund(refund.lines)
            case RefundStatus.SUCCEEDED:
                refund.status = RefundStatus.RETURNED
                await uow.ledger.post([_returned(refund, at=now)])
            case RefundStatus.FAILED | RefundStatus.RETURNED:
                return
        refund.failure_reason = reason
        refund.ended_at = now
        await uow.commit()


def _returned(refund: Refund, *, at: datetime) -> Transaction:
    return effects.refund_returned(
        refund_id=refund.id,
        order_id=refund.order_id,
        currency=refund.currency,
        amount_cents=refund.amount_cents,
        at=at,
    )
