"""The `Billing` port over Stripe: Checkout, Billing and the customer portal.

A price is known by its lookup key, which says plan, interval and version: `likeness_pro_month_v1`.
It is made when it is first sold. A subscription to any other price is none of ours.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

import msgspec
import stripe

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import PROVIDER, in_our_words
from adapters.stripe.metadata import PLAN_CHECKOUT_ID, PURCHASE_ID, USER_ID
from application.ports.billing import (
    BillingPage,
    PageState,
    PaidCharge,
    PaidInvoice,
    PlanRequest,
    PurchaseRequest,
    SubscriptionState,
)
from application.ports.errors import Rejected, Unavailable
from domain.studio.plans import ENDED, Interval, PlanName, SubscriptionStatus

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

PAGE = 100
_LOOKUP_KEY = re.compile(r"likeness_([a-z]+)_([a-z]+)_v(\d{1,6})")

T = TypeVar("T")


class _Charge(msgspec.Struct):
    id: str
    status: str
    captured: bool
    amount_captured: int
    currency: str


class _Intent(msgspec.Struct):
    status: str
    latest_charge: _Charge | str | None = None


class _Session(msgspec.Struct):
    id: str
    status: str | None
    url: str | None = None
    payment_intent: _Intent | str | None = None
    subscription: str | None = None


class _Price(msgspec.Struct):
    lookup_key: str | None = None


class _Item(msgspec.Struct):
    current_period_start: int
    current_period_end: int
    price: _Price


class _Items(msgspec.Struct):
    data: list[_Item]


class _Subscription(msgspec.Struct):
    id: str
    customer: str
    status: str
    cancel_at_period_end: bool
    items: _Items


class _Named(msgspec.Struct):
    id: str


class _Listed(msgspec.Struct):
    data: list[_Named]
    has_more: bool = False


class _Tax(msgspec.Struct):
    amount: int


class _Payment(msgspec.Struct):
    payment_intent: _Intent | str | None = None
    charge: str | None = None


class _InvoicePayment(msgspec.Struct):
    status: str
    payment: _Payment


class _Payments(msgspec.Struct):
    data: list[_InvoicePayment]


class _Transitions(msgspec.Struct):
    paid_at: int | None = None


class _Invoice(msgspec.Struct):
    id: str
    currency: str
    amount_paid: int
    created: int
    status_transitions: _Transitions
    total_taxes: list[_Tax] | None = None
    payments: _Payments | None = None


class _Hosted(msgspec.Struct):
    hosted_invoice_url: str | None = None


class _Receipt(msgspec.Struct):
    receipt_url: str | None = None


class _CustomerRow(msgspec.Struct):
    id: str
    metadata: dict[str, str] = {}


class _Customers(msgspec.Struct):
    data: list[_CustomerRow]


class StripeBilling:
    """See `application.ports.billing.Billing`.

    With `automatic_tax` Stripe Tax adds what is due to the invoices of plans, and reports it.
    """

    def __init__(self, api: StripeApi, *, automatic_tax: bool = False) -> None:
        self._client = api.client
        self._automatic_tax = automatic_tax

    async def open_customer(self, *, user_id: UUID, email: str) -> str:
        with in_our_words():
            customer = await self._client.v1.customers.create_async(
                {"email": email, "metadata": {USER_ID: str(user_id)}},
                {"idempotency_key": f"customer:{user_id}:{_digest(email)}"},
            )
        return customer.id

    async def find_customer(self, *, user_id: UUID, email: str) -> str | None:
        asked = {"email": email, "limit": PAGE}
        listed = await self._read("/v1/customers", _Customers, asked)
        ours = (row.id for row in listed.data if row.metadata.get(USER_ID) == str(user_id))
        return next(ours, None)

    async def sell_credits(self, request: PurchaseRequest) -> BillingPage:
        purchase_id = str(request.purchase_id)
        with in_our_words():
            session = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    "customer": request.customer_id,
                    "client_reference_id": purchase_id,
                    "metadata": {PURCHASE_ID: purchase_id},
                    "payment_intent_data": {"metadata": {PURCHASE_ID: purchase_id}},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": request.currency,
                                "unit_amount": cents,
                                "product_data": {"name": name},
                            },
                        }
                        for name, cents in (
                            (request.title, request.amount_cents),
                            ("Tax", request.tax_cents),
                        )
                        if cents
                    ],
                    "success_url": request.success_url,
                    "cancel_url": request.cancel_url,
                    "expires_at": int(request.expires_at.timestamp()),
                },
                {"idempotency_key": f"credits:{purchase_id}"},
            )
        return _page(session)

    async def sell_plan(self, request: PlanRequest) -> BillingPage:
        checkout_id = str(request.checkout_id)
        asked: SessionCreateParams = {
            "mode": "subscription",
            "customer": request.customer_id,
            "client_reference_id": checkout_id,
            "metadata": {PLAN_CHECKOUT_ID: checkout_id},
            "subscription_data": {"metadata": {PLAN_CHECKOUT_ID: checkout_id}},
            "line_items": [{"quantity": 1, "price": await self._price(request)}],
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
        }
        if self._automatic_tax:
            asked["automatic_tax"] = {"enabled": True}
            asked["customer_update"] = {"address": "auto"}
        with in_our_words():
            session = await self._client.v1.checkout.sessions.create_async(
                asked, {"idempotency_key": f"plan:{checkout_id}"}
            )
        return _page(session)

    async def page_state(self, session_id: str) -> PageState:
        asked = {"expand": ["payment_intent.latest_charge"]}
        session = await self._read(f"/v1/checkout/sessions/{session_id}", _Session, asked)
        intent = session.payment_intent
        return PageState(
            status=_page_status(session.status),
            processing=isinstance(intent, _Intent) and intent.status == "processing",
            paid=_paid(intent),
            subscription_id=session.subscription,
        )

    async def close_page(self, session_id: str) -> None:
        try:
            with in_our_words():
                await self._client.v1.checkout.sessions.expire_async(session_id)
        except Rejected:
            if (await self.page_state(session_id)).status == "open":
                raise

    async def portal(self, *, customer_id: str, return_url: str) -> str:
        with in_our_words():
            session = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}
            )
        return session.url

    async def subscription(self, provider_id: str) -> SubscriptionState | None:
        found = await self._read(f"/v1/subscriptions/{provider_id}", _Subscription, {})
        item = found.items.data[0] if len(found.items.data) == 1 else None
        sold = _LOOKUP_KEY.fullmatch((item and item.price.lookup_key) or "")
        if item is None or sold is None or sold[1] not in set(PlanName):
            return None
        return SubscriptionState(
            provider_id=found.id,
            customer_id=found.customer,
            plan=PlanName(sold[1]),
            plan_version=int(sold[3]),
            interval=Interval(sold[2]),
            status=SubscriptionStatus(found.status),
            period_start=_instant(item.current_period_start),
            period_end=_instant(item.current_period_end),
            cancel_at_period_end=found.cancel_at_period_end,
        )

    async def subscriptions_of(self, customer_id: str) -> Sequence[str]:
        return await self._all("/v1/subscriptions", {"customer": customer_id, "status": "all"})

    async def cancel(self, provider_id: str) -> None:
        try:
            with in_our_words():
                await self._client.v1.subscriptions.cancel_async(provider_id)
        except Rejected:
            found = await self._read(f"/v1/subscriptions/{provider_id}", _Subscription, {})
            if SubscriptionStatus(found.status) not in ENDED:
                raise

    async def paid_invoices(self, subscription_id: str) -> Sequence[str]:
        asked = {"subscription": subscription_id, "status": "paid"}
        return await self._all("/v1/invoices", asked)

    async def paid_invoice(self, invoice_id: str) -> PaidInvoice:
        asked = {"expand": ["payments.data.payment.payment_intent"]}
        invoice = await self._read(f"/v1/invoices/{invoice_id}", _Invoice, asked)
        payments = invoice.payments.data if invoice.payments else []
        charge = next((_charged(one, invoice) for one in payments if one.status == "paid"), None)
        return PaidInvoice(
            invoice_id=invoice.id,
            tax_cents=sum(tax.amount for tax in invoice.total_taxes or ()),
            charge=charge,
            paid_at=_instant(invoice.status_transitions.paid_at or invoice.created),
        )

    async def document(self, *, charge_id: str, invoice_id: str | None) -> str | None:
        if invoice_id is not None:
            invoice = await self._read(f"/v1/invoices/{invoice_id}", _Hosted, {})
            return invoice.hosted_invoice_url
        charge = await self._read(f"/v1/charges/{charge_id}", _Receipt, {})
        return charge.receipt_url

    async def _price(self, request: PlanRequest) -> str:
        key = f"likeness_{request.plan}_{request.interval}_v{request.plan_version}"
        asked = {"lookup_keys": [key], "active": "true", "limit": 1}
        found = await self._read("/v1/prices", _Listed, asked)
        if found.data:
            return found.data[0].id
        interval: Literal["month", "year"] = "year" if request.interval == "year" else "month"
        with in_our_words():
            price = await self._client.v1.prices.create_async(
                {
                    "currency": request.currency,
                    "unit_amount": request.amount_cents,
                    "recurring": {"interval": interval},
                    "lookup_key": key,
                    "product_data": {"name": f"Likeness {request.plan.capitalize()}"},
                },
                {"idempotency_key": f"price:{key}"},
            )
        return price.id

    async def _all(self, path: str, asked: Mapping[str, Any]) -> Sequence[str]:
        ids: list[str] = []
        more: dict[str, Any] = {"limit": PAGE}
        while True:
            listed = await self._read(path, _Listed, {**asked, **more})
            ids += [row.id for row in listed.data]
            if not listed.has_more or not listed.data:
                return ids
            more["starting_after"] = listed.data[-1].id

    async def _read(self, path: str, kind: type[T], asked: Mapping[str, Any]) -> T:
        with in_our_words():
            answer: stripe.StripeResponse = await self._client.raw_request_async(
                "get", path, **asked
            )
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError:
            raise Unavailable("Stripe's answer makes no sense.", provider=PROVIDER) from None


def _digest(email: str) -> str:
    """A key that was used with another address is refused, and addresses change."""
    return hashlib.sha256(email.encode()).hexdigest()[:16]


def _page(session: stripe.checkout.Session) -> BillingPage:
    if session.url is None:
        raise Rejected("The page has no URL.", provider=PROVIDER, reason="checkout_without_page")
    return BillingPage(session_id=session.id, url=session.url)


def _page_status(status: str | None) -> Literal["open", "complete", "expired"]:
    match status:
        case "complete":
            return "complete"
        case "expired":
            return "expired"
        case _:
            return "open"


def _paid(intent: _Intent | str | None) -> PaidCharge | None:
    charge = intent.latest_charge if isinstance(intent, _Intent) else None
    if not isinstance(charge, _Charge) or charge.status != "succeeded" or not charge.captured:
        return None
    return PaidCharge(
        charge_id=charge.id, amount_cents=charge.amount_captured, currency=charge.currency
    )


def _charged(payment: _InvoicePayment, invoice: _Invoice) -> PaidCharge | None:
    """The charge of a paid invoice; the amount is what the invoice says was paid."""
    intent = payment.payment.payment_intent
    latest = intent.latest_charge if isinstance(intent, _Intent) else payment.payment.charge
    charge_id = latest.id if isinstance(latest, _Charge) else latest
    if charge_id is None:
        return None
    return PaidCharge(
        charge_id=charge_id, amount_cents=invoice.amount_paid, currency=invoice.currency
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
