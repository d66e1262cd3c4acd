"""What the payment provider tells us, batch by batch, turned into what follows from it.

Payments settle here and now, set-based. Everything else is either recorded or handed to the
outbox, because it needs the provider to be asked. A message that fails does not hold up the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from application.billing.disputes import hear_charge_dispute
from application.billing.purchases import SETTLE_PURCHASE, SettlePurchase
from application.billing.refunds import hear_charge_refund
from application.billing.subscriptions import (
    REFRESH_SUBSCRIPTION,
    SETTLE_PLAN_CHECKOUT,
    RefreshSubscription,
    SettlePlanCheckout,
)
from application.ledger.fees import RECORD_FEE, RecordFee
from application.ledger.payees import REFRESH_ACCOUNT, RefreshAccount
from application.ledger.payouts import ASK_PAYOUT, AskPayout
from application.ordering.completion import (
    RECONCILE_CHECKOUT,
    ReconcileCheckout,
    complete_orders,
)
from application.ordering.disputes import record_dispute
from application.ordering.provider_refunds import adopt_refund
from application.ordering.refund_outcomes import record_refund
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import Message, ParkMessage
from application.ports.payments import (
    AccountChanged,
    CheckoutEnded,
    DisputeChanged,
    FeeReported,
    PaymentCaptured,
    PaymentEvent,
    PaymentWebhooks,
    PayoutChanged,
    PlanCheckoutTold,
    PurchaseTold,
    RefundChanged,
    SubscriptionTold,
)
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.settlement import PaymentMismatch
from domain.shared.disputes import DisputeContradiction

GIVE_THE_CHARGE_TIME = timedelta(seconds=2)
"""A finished page and its charge are told apart; the charge alone settles without a question."""

_BILLING = (PurchaseTold, PlanCheckoutTold, SubscriptionTold)


async def handle_payment_events(
    messages: Sequence[Message],
    *,
    new_uow: Callable[[], UnitOfWork],
    webhooks: PaymentWebhooks,
    clock: Clock,
    ids: Ids,
    hold: timedelta,
) -> Mapping[UUID, Exception]:
    """Answers the failures by message; the others are done."""
    failures: dict[UUID, Exception] = {}
    events: dict[UUID, PaymentEvent] = {}
    for message in messages:
        try:
            events[message.id] = webhooks.read(message.payload)
        except msgspec.MsgspecError as error:
            failures[message.id] = ParkMessage(f"unreadable: {error}")
    captured = {i: e.captured for i, e in events.items() if isinstance(e, PaymentCaptured)}
    if captured:
        refused = await complete_orders(
            list(captured.values()), uow=new_uow(), clock=clock, hold=hold
        )
        for message_id, payment in captured.items():
            if payment.charge_id in refused:
                failures[message_id] = _judged(refused[payment.charge_id])
    await _hand_on(list(events.values()), uow=new_uow(), clock=clock)
    for message_id, event in events.items():
        if isinstance(event, RefundChanged | DisputeChanged):
            try:
                if isinstance(event, RefundChanged):
                    await _refund_changed(event, uow=new_uow(), clock=clock, ids=ids)
                else:
                    await _dispute_changed(event, new_uow=new_uow, clock=clock, ids=ids)
            except DisputeContradiction as error:
                failures[message_id] = ParkMessage(str(error))
            except Exception as error:  # noqa: BLE001 - told to the dispatcher, message by message
                failures[message_id] = error
    return failures


async def _hand_on(events: Sequence[PaymentEvent], *, uow: UnitOfWork, clock: Clock) -> None:
    """Put what needs the provider's answer into the outbox, in one transaction."""
    ended = {event.order_id for event in events if isinstance(event, CheckoutEnded)}
    fees = {event.charge_id for event in events if isinstance(event, FeeReported)}
    accounts = {event.account_id for event in events if isinstance(event, AccountChanged)}
    payouts = {event.payout_id for event in events if isinstance(event, PayoutChanged)}
    bills = [event for event in events if isinstance(event, _BILLING)]
    if not ended and not fees and not accounts and not payouts and not bills:
        return
    async with uow:
        _ask_about(bills, uow)
        for order_id in await uow.orders.unended(ended) if ended else ():
            uow.outbox.add(
                RECONCILE_CHECKOUT,
                ReconcileCheckout(order_id=order_id),
                due_at=clock.now() + GIVE_THE_CHARGE_TIME,
            )
        for charge_id in fees:
            uow.outbox.add(RECORD_FEE, RecordFee(charge_id=charge_id), key=charge_id)
        for payout_id in payouts:
            uow.outbox.add(ASK_PAYOUT, AskPayout(payout_id=payout_id))
        for account_id in accounts:
            uow.outbox.add(REFRESH_ACCOUNT, RefreshAccount(account_id=account_id))
        await uow.commit()


def _ask_about(events: Sequence[PaymentEvent], uow: UnitOfWork) -> None:
    """Once in a batch: what it asks for is the whole of how things stand."""
    for event in dict.fromkeys(events):
        match event:
            case PurchaseTold(purchase_id=purchase_id):
                uow.outbox.add(SETTLE_PURCHASE, SettlePurchase(purchase_id=purchase_id))
            case PlanCheckoutTold(checkout_id=checkout_id):
                uow.outbox.add(SETTLE_PLAN_CHECKOUT, SettlePlanCheckout(checkout_id=checkout_id))
            case SubscriptionTold(provider_id=provider_id):
                uow.outbox.add(REFRESH_SUBSCRIPTION, RefreshSubscription(provider_id=provider_id))


async def _refund_changed(event: RefundChanged, *, uow: UnitOfWork, clock: Clock, ids: Ids) -> None:
    charge_id = event.charge_id
    if await hear_charge_refund(event.refund, charge_id=charge_id, uow=uow, clock=clock, ids=ids):
        return
    refund_id = event.refund.refund_id
    if refund_id is None:
        refund_id = await adopt_refund(
            event.refund, charge_id=charge_id, uow=uow, clock=clock, ids=ids
        )
    if refund_id is not None:
        await record_refund(refund_id, event.refund, uow=uow, clock=clock, ids=ids)


async def _dispute_changed(
    event: DisputeChanged, *, new_uow: Callable[[], UnitOfWork], clock: Clock, ids: Ids
) -> None:
    if not await hear_charge_dispute(event, uow=new_uow(), clock=clock, ids=ids):
        await record_dispute(event, uow=new_uow(), clock=clock, ids=ids)


def _judged(error: Exception) -> Exception:
    """A payment that does not fit its order never will; an order not seen yet may come."""
    return ParkMessage(str(error)) if isinstance(error, PaymentMismatch) else error
