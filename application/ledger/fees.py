"""Book what the payment provider kept of a charge, once it says how much, and who bears it.

The platform does, or, by setting, the sellers of the order: each by its stores' shares of it, the
cents divided by the largest remainder. A seller's share comes from its earning while that is held,
and from what is available afterwards, which may go below zero. A fee in another currency than the
order's cannot be divided, and stays with the platform; so does that of what was paid to the
platform itself.
"""

from datetime import timedelta

import msgspec

from application.ports.clock import Clock
from application.ports.messages import RetryLater
from application.ports.payments import Payments
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.posting import Account, EffectMismatch, Transaction
from domain.ordering.fees import FeesBorneBy, shares_of_fee
from domain.ordering.order import Order
from domain.ordering.split import LegKind
from domain.shared.money import Currency

RECORD_FEE = "payments.record_fee"
ASK_AGAIN_AFTER = timedelta(minutes=5)


class RecordFee(msgspec.Struct, frozen=True, kw_only=True):
    charge_id: str


async def record_processing_fee(
    charge_id: str,
    *,
    uow: UnitOfWork,
    payments: Payments,
    clock: Clock,
    borne_by: FeesBorneBy = "platform",
) -> None:
    """Fetch and post the fee of a charge; charges that settled nothing of ours have none.

    Raises RetryLater while the provider has not said, EffectMismatch when it says something else
    than before, and provider errors.
    """
    async with uow:
        order_id = await uow.orders.by_charge(charge_id)
        ours = order_id is not None or await uow.platform_charges.find(charge_id) is not None
    if not ours:
        raise RetryLater("the charge has not settled an order yet", delay=ASK_AGAIN_AFTER)
    fee = await payments.processing_fee(charge_id)
    if fee is None:
        raise RetryLater("the provider has not reported its fee yet", delay=ASK_AGAIN_AFTER)
    if fee.amount_cents == 0:
        return
    async with uow:
        order = await uow.orders.get(order_id, lock=True) if order_id else None
        if (known := await uow.ledger.find(f"fee:{charge_id}")) is not None:
            _require_same(known, currency=fee.currency, fee_cents=fee.amount_cents)
            return
        borne: list[Part] = []
        if order is not None and borne_by == "seller" and fee.currency == order.currency:
            borne = await _of_sellers(order, fee.amount_cents, uow=uow)
        await uow.ledger.post(
            [
                effects.processing_fee(
                    charge_id=charge_id,
                    order_id=order_id,
                    currency=Currency(fee.currency),
                    fee_cents=fee.amount_cents,
                    at=clock.now(),
                    borne=borne,
                )
            ]
        )
        await uow.commit()


async def _of_sellers(order: Order, fee_cents: int, *, uow: UnitOfWork) -> list[Part]:
    revenue = [
        (leg.payee_id, leg.amount_cents)
        for line in order.lines
        for leg in line.legs
        if leg.kind is LegKind.STORE_REVENUE and leg.payee_id is not None
    ]
    earnings = {earning.payee_id: earning for earning in await uow.earnings.of_order(order.id)}
    parts: list[Part] = []
    for store_id, share_cents in shares_of_fee(fee_cents, revenue):
        from_hold_cents = earnings[store_id].bear_fee(share_cents)
        parts.extend(effects.taken_from(store_id, share_cents, from_hold_cents=from_hold_cents))
    return parts


def _require_same(known: Transaction, *, currency: str, fee_cents: int) -> None:
    booked = sum(e.amount_cents for e in known.entries if e.account is Account.STRIPE_CLEARING)
    if (known.currency, booked) != (currency, fee_cents):
        raise EffectMismatch(
            "This effect was posted before with other content.", effect_key=known.effect_key
        )
