"""The one way in which an order becomes paid.

Webhook, API and sweep all end in `complete_orders`. It is set-based: a batch of payments costs a
handful of statements. Locks are taken in order of the orders' ids, then of the payees' balances.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.ordering.closing import close_order
from application.ordering.telling import has_changed
from application.ports.clock import Clock
from application.ports.payments import CapturedPayment, Payments
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.order import PaymentStatus
from domain.ordering.settlement import (
    Capture,
    PaymentMismatch,
    Settlement,
    SettlementPlan,
    settle,
)
from domain.shared.errors import LikenessError, NotFound

ORDER_PAID = "orders.paid"
RECONCILE_CHECKOUT = "payments.reconcile_checkout"
RECONCILE_AGAIN = timedelta(minutes=10)


class OrderPaid(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID
    buyer_id: UUID | None
    charge_id: str


class ReconcileCheckout(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID


async def complete_orders(
    payments: Sequence[CapturedPayment], *, uow: UnitOfWork, clock: Clock, hold: timedelta
) -> Mapping[str, Exception]:
    """Settle the orders of these payments, each once, however often it is asked.

    Answers the charges that settle nothing, with the reason: NotFound, PaymentMismatch.
    """
    captures = {payment.charge_id: _capture(payment) for payment in payments}
    failures: dict[str, Exception] = {}
    settlements: dict[UUID, Settlement] = {}
    now = clock.now()
    async with uow:
        order_ids = {capture.order_id for capture in captures.values()}
        plans = {plan.order_id: plan for plan in await uow.orders.settlement_plans(order_ids)}
        for charge_id, capture in captures.items():
            try:
                settlement = _settle(plans, settlements, capture, hold=hold, at=now)
            except LikenessError as error:
                failures[charge_id] = error
                continue
            if settlement is not None:
                settlements[capture.order_id] = settlement
        if settlements:
            await uow.orders.settle(list(settlements.values()))
            await uow.ledger.post([s.transaction for s in settlements.values()])
            for settlement in settlements.values():
                uow.outbox.add(
                    ORDER_PAID,
                    OrderPaid(
                        order_id=settlement.plan.order_id,
                        buyer_id=settlement.plan.buyer_id,
                        charge_id=settlement.capture.charge_id,
                    ),
                )
            await uow.commit()
    return failures


async def reconcile_checkout(
    order_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock, hold: timedelta
) -> None:
    """Ask the provider how a checkout stands, and do what follows from it.

    Paid: settle. Past its time: close the page first, then free the stock; a page that turns out
    to be paid at that moment is settled. Raises provider errors.
    """
    async with uow:
        order = await uow.orders.get(order_id)
    if order.payment_status not in (PaymentStatus.UNPAID, PaymentStatus.PROCESSING):
        return
    overdue = clock.now() >= order.expires_at
    if order.session_id is None:
        if overdue:
            await close_order(order_id, PaymentStatus.EXPIRED, uow=uow)
        return
    state = await payments.checkout_state(order.session_id)
    if state.status == "open" and overdue:
        await payments.expire_checkout(order.session_id)
        state = await payments.checkout_state(order.session_id)
    if state.captured is not None:
        failures = await complete_orders([state.captured], uow=uow, clock=clock, hold=hold)
        for error in failures.values():
            raise error
    elif state.status == "expired":
        await close_order(order_id, PaymentStatus.EXPIRED, uow=uow)
    elif state.payment == "processing":
        async with uow:
            order = await uow.orders.get(order_id, lock=True)
            if order.payment_status is PaymentStatus.UNPAID:
                order.payment_status = PaymentStatus.PROCESSING
                has_changed(order_id, uow)
                await uow.commit()
    elif state.status == "complete":
        await close_order(order_id, PaymentStatus.FAILED, uow=uow)


async def sweep_checkouts(*, uow: UnitOfWork, clock: Clock, limit: int = 500) -> int:
    """Have the provider asked about unpaid orders, again and again until they end; answers how
    many were due."""
    now = clock.now()
    async with uow:
        due = await uow.orders.claim_reconcilable(
            now=now, again_at=now + RECONCILE_AGAIN, limit=limit
        )
        for order_id in due:
            uow.outbox.add(RECONCILE_CHECKOUT, ReconcileCheckout(order_id=order_id))
        await uow.commit()
    return len(due)


def _capture(payment: CapturedPayment) -> Capture:
    return Capture(
        payment.order_id,
        payment.payment_id,
        payment.charge_id,
        payment.amount_cents,
        payment.currency,
    )


def _settle(
    plans: Mapping[UUID, SettlementPlan],
    settled: Mapping[UUID, Settlement],
    capture: Capture,
    *,
    hold: timedelta,
    at: datetime,
) -> Settlement | None:
    plan = plans.get(capture.order_id)
    if plan is None:
        raise NotFound("order", capture.order_id)
    if capture.order_id in settled:
        raise PaymentMismatch("Two charges pay for one order.", order_id=str(plan.order_id))
    return settle(plan, capture, hold=hold, at=at)
