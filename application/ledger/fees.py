"""Book what the payment provider kept of a charge, once it says how much."""

from datetime import timedelta

import msgspec

from application.ports.clock import Clock
from application.ports.messages import RetryLater
from application.ports.payments import Payments
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.shared.money import Currency

RECORD_FEE = "payments.record_fee"
ASK_AGAIN_AFTER = timedelta(minutes=5)


class RecordFee(msgspec.Struct, frozen=True, kw_only=True):
    charge_id: str


async def record_processing_fee(
    charge_id: str, *, uow: UnitOfWork, payments: Payments, clock: Clock
) -> None:
    """Fetch and post the fee of a charge; charges that settled nothing of ours have none.

    Raises RetryLater while the provider has not said, and provider errors.
    """
    async with uow:
        order_id = await uow.orders.by_charge(charge_id)
    if order_id is None:
        raise RetryLater("the charge has not settled an order yet", delay=ASK_AGAIN_AFTER)
    fee = await payments.processing_fee(charge_id)
    if fee is None:
        raise RetryLater("the provider has not reported its fee yet", delay=ASK_AGAIN_AFTER)
    if fee.amount_cents == 0:
        return
    async with uow:
        await uow.ledger.post(
            [
                effects.processing_fee(
                    charge_id=charge_id,
                    order_id=order_id,
                    currency=Currency(fee.currency),
                    fee_cents=fee.amount_cents,
                    at=clock.now(),
                )
            ]
        )
        await uow.commit()
