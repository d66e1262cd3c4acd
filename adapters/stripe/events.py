"""What Stripe's events say, in our words.

Only the fields that are used are decoded, each event in two steps: its type first, then the object
as that type demands. Objects without our metadata belong to other programs and are `Irrelevant`.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from adapters.stripe.disputes import read_dispute
from adapters.stripe.metadata import (
    ORDER_ID,
    PAYOUT_ID,
    PLAN_CHECKOUT_ID,
    PURCHASE_ID,
    REFUND_ID,
    our_id,
)
from adapters.stripe.refunds import refund_status
from application.ports.payments import (
    AccountChanged,
    CapturedPayment,
    CheckoutEnded,
    FeeReported,
    Irrelevant,
    PaymentCaptured,
    PaymentEvent,
    PayoutChanged,
    PlanCheckoutTold,
    ProviderRefund,
    PurchaseTold,
    RefundChanged,
    SubscriptionTold,
)

Metadata = dict[str, str]
Ending = Literal["completed", "payment_succeeded", "payment_failed", "expired"]
Reader = Callable[[msgspec.Raw], PaymentEvent | None]


class _Data(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    type: str
    data: _Data


class _Charge(msgspec.Struct):
    id: str
    currency: str
    captured: bool = False
    amount_captured: int = 0
    payment_intent: str | None = None
    balance_transaction: str | None = None
    metadata: Metadata = {}


class _Session(msgspec.Struct):
    id: str
    metadata: Metadata | None = None


class _Refund(msgspec.Struct):
    id: str
    amount: int
    charge: str | None = None
    status: str | None = None
    failure_reason: str | None = None
    metadata: Metadata | None = None


class _Account(msgspec.Struct):
    id: str


class _Payout(msgspec.Struct):
    metadata: Metadata | None = None


class _Subscription(msgspec.Struct):
    id: str


class _OfSubscription(msgspec.Struct):
    subscription: str | None = None


class _Parent(msgspec.Struct):
    subscription_details: _OfSubscription | None = None


class _Invoice(msgspec.Struct):
    parent: _Parent | None = None


class _Capability(msgspec.Struct):
    account: str


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_charge = msgspec.json.Decoder(_Charge).decode
_decode_session = msgspec.json.Decoder(_Session).decode
_decode_refund = msgspec.json.Decoder(_Refund).decode
_decode_account = msgspec.json.Decoder(_Account).decode
_decode_payout = msgspec.json.Decoder(_Payout).decode
_decode_subscription = msgspec.json.Decoder(_Subscription).decode
_decode_invoice = msgspec.json.Decoder(_Invoice).decode
_decode_capability = msgspec.json.Decoder(_Capability).decode


def understand(payload: bytes) -> PaymentEvent:
    """Raises msgspec.DecodeError where an event that matters lacks what it must have."""
    event = _decode_event(payload)
    reader = _READERS.get(event.type)
    said = reader(event.data.object) if reader else None
    return said if said is not None else Irrelevant(kind=event.type)


def _charge_succeeded(raw: msgspec.Raw) -> PaymentCaptured | PurchaseTold | None:
    """A charge that is only authorised succeeds too: its money has not been taken."""
    charge = _decode_charge(raw)
    if (purchase_id := our_id(charge.metadata, PURCHASE_ID)) is not None:
        return PurchaseTold(purchase_id=purchase_id)
    order_id = our_id(charge.metadata, ORDER_ID)
    if order_id is None or charge.payment_intent is None or not charge.captured:
        return None
    return PaymentCaptured(
        captured=CapturedPayment(
            order_id=order_id,
            payment_id=charge.payment_intent,
            charge_id=charge.id,
            amount_cents=charge.amount_captured,
            currency=charge.currency,
        )
    )


def _charge_updated(raw: msgspec.Raw) -> FeeReported | None:
    """The fee is known from when the balance transaction exists."""
    charge = _decode_charge(raw)
    if charge.balance_transaction is None or our_id(charge.metadata, ORDER_ID) is None:
        return None
    return FeeReported(charge_id=charge.id)


def _session_reader(ending: Ending) -> Reader:
    def read(raw: msgspec.Raw) -> CheckoutEnded | PurchaseTold | PlanCheckoutTold | None:
        session = _decode_session(raw)
        if (purchase_id := our_id(session.metadata, PURCHASE_ID)) is not None:
            return PurchaseTold(purchase_id=purchase_id)
        if (checkout_id := our_id(session.metadata, PLAN_CHECKOUT_ID)) is not None:
            return PlanCheckoutTold(checkout_id=checkout_id)
        order_id = our_id(session.metadata, ORDER_ID)
        if order_id is None:
            return None
        return CheckoutEnded(order_id=order_id, session_id=session.id, ending=ending)

    return read


def _refund_changed(raw: msgspec.Raw) -> RefundChanged | None:
    """Refunds made by hand at Stripe count too: their `refund_id` is None."""
    refund = _decode_refund(raw)
    if refund.charge is None:
        return None
    return RefundChanged(
        charge_id=refund.charge,
        refund=ProviderRefund(
            provider_id=refund.id,
            refund_id=our_id(refund.metadata, REFUND_ID),
            status=refund_status(refund.status),
            amount_cents=refund.amount,
            failure_reason=refund.failure_reason,
        ),
    )


def _account_updated(raw: msgspec.Raw) -> AccountChanged:
    return AccountChanged(account_id=_decode_account(raw).id)


def _capability_updated(raw: msgspec.Raw) -> AccountChanged:
    return AccountChanged(account_id=_decode_capability(raw).account)


def _payout_changed(raw: msgspec.Raw) -> PayoutChanged | None:
    """Those that Stripe makes by the account's own calendar have no id of ours."""
    payout_id = our_id(_decode_payout(raw).metadata, PAYOUT_ID)
    return PayoutChanged(payout_id=payout_id) if payout_id else None


def _subscription_changed(raw: msgspec.Raw) -> SubscriptionTold:
    return SubscriptionTold(provider_id=_decode_subscription(raw).id)


def _invoice_changed(raw: msgspec.Raw) -> SubscriptionTold | None:
    """Invoices of anything else are none of ours."""
    parent = _decode_invoice(raw).parent
    details = parent.subscription_details if parent else None
    if details is None or details.subscription is None:
        return None
    return SubscriptionTold(provider_id=details.subscription)


_SUBSCRIPTION_EVENTS = ("created", "updated", "deleted", "paused", "resumed")
_INVOICE_EVENTS = ("finalized", "paid", "payment_failed", "voided", "marked_uncollectible")

_READERS: dict[str, Reader] = {
    "charge.succeeded": _charge_succeeded,
    "charge.updated": _charge_updated,
    "checkout.session.completed": _session_reader("completed"),
    "checkout.session.async_payment_succeeded": _session_reader("payment_succeeded"),
    "checkout.session.async_payment_failed": _session_reader("payment_failed"),
    "checkout.session.expired": _session_reader("expired"),
    "refund.created": _refund_changed,
    "refund.updated": _refund_changed,
    "refund.failed": _refund_changed,
    "charge.refund.updated": _refund_changed,
    "charge.dispute.created": read_dispute,
    "charge.dispute.updated": read_dispute,
    "charge.dispute.closed": read_dispute,
    "charge.dispute.funds_withdrawn": read_dispute,
    "charge.dispute.funds_reinstated": read_dispute,
    "account.updated": _account_updated,
    "capability.updated": _capability_updated,
    "payout.paid": _payout_changed,
    "payout.failed": _payout_changed,
    "payout.canceled": _payout_changed,
    **{f"customer.subscription.{name}": _subscription_changed for name in _SUBSCRIPTION_EVENTS},
    **{f"invoice.{name}": _invoice_changed for name in _INVOICE_EVENTS},
}
