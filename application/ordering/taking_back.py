"""What refunds and disputes do to the payees of an order: the parts of a posting, and reversals.

The caller holds the order's row. Locks follow in the fixed order: earnings, transfers, and with the
posting the balances, each by payee.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from application.ledger.transfers import SEND_REVERSAL, SendReversal
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.earning import Reversal, Transfer
from domain.ledger.effects import Part
from domain.ordering.giving_back import Change, parts_of
from domain.ordering.order import Order


class Cause(NamedTuple):
    """What takes the money; exactly one of them is there."""

    refund_id: UUID | None = None
    dispute_id: UUID | None = None


async def take_back(
    change: Change, order: Order, cause: Cause, *, uow: UnitOfWork, at: datetime, ids: Ids
) -> list[Part]:
    """Change the earnings, ask transferred money back; answers what each account gives."""
    earnings = {e.payee_id: e for e in await uow.earnings.of_order(order.id)}
    transfers = {t.payee_id: t for t in await uow.transfers.of_order(order.id)}
    for payee_id, moved in change.by_payee().items():
        transfer = transfers.get(payee_id)
        if transfer is not None and moved.taken_cents > 0:
            _ask_back(transfer, cause, moved.taken_cents, uow=uow, at=at, ids=ids)
    return parts_of(change, earnings)


def _ask_back(
    transfer: Transfer,
    cause: Cause,
    amount_cents: int,
    *,
    uow: UnitOfWork,
    at: datetime,
    ids: Ids,
) -> None:
    claimed = transfer.plan_reversal(amount_cents)
    if claimed == 0:
        return
    reversal = Reversal(
        id=ids.new(),
        transfer_id=transfer.id,
        refund_id=cause.refund_id,
        dispute_id=cause.dispute_id,
        order_id=transfer.order_id,
        payee_id=transfer.payee_id,
        currency=transfer.currency,
        amount_cents=claimed,
        created_at=at,
    )
    uow.reversals.add(reversal)
    uow.outbox.add(SEND_REVERSAL, SendReversal(reversal_id=reversal.id))
