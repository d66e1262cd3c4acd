"""Call an order off: before it is paid nothing is left of it, after that the money goes back.

A page that is paid while it is being closed is settled first, as everywhere; what follows is then
the cancellation of a paid order.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from application.ordering.closing import close_order
from application.ordering.completion import complete_orders
from application.ordering.refunds import refund_everything
from application.ordering.telling import has_changed
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import Payments
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.terms import ProductType
from domain.ordering.order import FulfilmentState, Order, OrderStatus, PaymentStatus
from domain.shared.errors import Conflict, NotFound


class NotCancellable(Conflict):
    """It is being paid, made or delivered, or is over: ask for a refund instead."""

    code = "not_cancellable"


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """`refund_id` is the intent to give everything back; None where nothing was paid."""

    order_id: UUID
    status: OrderStatus
    refund_id: UUID | None


async def cancel_order(
    order_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    payments: Payments,
    clock: Clock,
    ids: Ids,
    hold: timedelta,
) -> Cancelled:
    """For its buyer, and for administrators. Cancelling again answers the same.

    What is digital is delivered with its payment: only an administrator takes that back.
    Raises NotFound, NotCancellable, DisputeOpen, provider errors.
    """
    async with uow:
        order = await uow.orders.get(order_id)
    if not (actor.is_admin or actor.user_id == order.reader_id):
        raise NotFound("order", order_id)
    if order.payment_status is PaymentStatus.PROCESSING:
        raise NotCancellable("Its payment is under way: wait for it to end.")
    if order.payment_status is PaymentStatus.UNPAID:
        await _close_page(order, uow=uow, payments=payments, clock=clock, hold=hold)
    async with uow:
        order = await uow.orders.get(order_id, lock=True)
        if order.payment_status is not PaymentStatus.PAID:
            return Cancelled(order_id=order_id, status=OrderStatus.CANCELLED, refund_id=None)
        key = f"cancel:{order_id}"
        refund = await uow.refunds.by_request_key(order_id, key)
        if refund is None:
            _require_untouched(order, actor)
            order.cancelled_at = clock.now()
            has_changed(order_id, uow)
            refund = refund_everything(
                order, request_key=key, reason="cancelled", actor=actor, uow=uow, clock=clock,
                ids=ids,
            )  # fmt: skip
            await uow.commit()
    return Cancelled(order_id=order_id, status=OrderStatus.CANCELLED, refund_id=refund.id)


async def _close_page(
    order: Order, *, uow: UnitOfWork, payments: Payments, clock: Clock, hold: timedelta
) -> None:
    """Close the page first, so that nobody can pay what is no longer held."""
    if order.session_id is not None:
        await payments.expire_checkout(order.session_id)
        state = await payments.checkout_state(order.session_id)
        if state.captured is not None:
            failures = await complete_orders([state.captured], uow=uow, clock=clock, hold=hold)
            for error in failures.values():
                raise error
            return
        if state.payment == "processing":
            raise NotCancellable("Its payment is under way: wait for it to end.")
    await close_order(order.id, PaymentStatus.EXPIRED, uow=uow)


def _require_untouched(order: Order, actor: Actor) -> None:
    if order.fulfilment_status is not FulfilmentState.NONE:
        raise NotCancellable("It is being made or is on its way: ask for a refund.")
    digital = any(line.product_type is ProductType.DIGITAL for line in order.lines)
    if digital and not actor.is_admin:
        raise NotCancellable("What is digital was delivered: ask the store for a refund.")
