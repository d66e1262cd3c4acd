"""The hosted payment page of an order: opened, looked up, closed; and the fee of its payment."""

from datetime import UTC, datetime
from typing import Any, Literal

import stripe
from stripe.params.checkout import SessionCreateParams

from adapters.stripe.errors import PROVIDER, in_our_words
from adapters.stripe.metadata import ORDER_ID, our_id, transfer_group
from application.ports.errors import Rejected
from application.ports.payments import (
    CapturedPayment,
    CheckoutPage,
    CheckoutRequest,
    CheckoutState,
    ProcessingFee,
)
from domain.ordering.address import Address


class StripeCheckout:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def start_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        with in_our_words():
            session = await self._client.v1.checkout.sessions.create_async(
                _parameters(request), {"idempotency_key": f"checkout:{request.order_id}"}
            )
        if session.url is None:
            raise Rejected(
                "The checkout has no page.", provider=PROVIDER, reason="checkout_without_page"
            )
        return CheckoutPage(
            session_id=session.id,
            url=session.url,
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )

    async def checkout_state(self, session_id: str) -> CheckoutState:
        with in_our_words():
            session = await self._client.v1.checkout.sessions.retrieve_async(
                session_id, {"expand": ["payment_intent.latest_charge"]}
            )
        captured = _captured(session)
        return CheckoutState(
            session_id=session.id,
            status=_page_status(session.status),
            payment=_payment_state(session, captured),
            captured=captured,
            ship_to=_shipped_to(session),
        )

    async def expire_checkout(self, session_id: str) -> None:
        try:
            with in_our_words():
                await self._client.v1.checkout.sessions.expire_async(session_id)
        except Rejected:
            if (await self.checkout_state(session_id)).status == "open":
                raise

    async def processing_fee(self, charge_id: str) -> ProcessingFee | None:
        with in_our_words():
            charge = await self._client.v1.charges.retrieve_async(
                charge_id, {"expand": ["balance_transaction"]}
            )
        booked = charge.balance_transaction
        if not isinstance(booked, stripe.BalanceTransaction):
            return None
        return ProcessingFee(charge_id=charge.id, amount_cents=booked.fee, currency=booked.currency)


_NOT_SHIPPED_TO = frozenset(
    {"AS", "CC", "CU", "CX", "FM", "HM", "IR", "KP", "MH", "MP", "NF", "PW", "SY", "UM", "VI"}
)
"""Countries in which Stripe's page takes no shipping address."""


def _parameters(request: CheckoutRequest) -> SessionCreateParams:
    """The same request always gives the same parameters: the idempotency key demands it."""
    order_id = str(request.order_id)
    parameters: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": order_id,
        "metadata": {ORDER_ID: order_id},
        "payment_intent_data": {
            "metadata": {ORDER_ID: order_id},
            "transfer_group": transfer_group(request.order_id),
        },
        "line_items": [
            {
                "quantity": line.quantity,
                "price_data": {
                    "currency": request.currency,
                    "unit_amount": line.unit_price_cents,
                    "product_data": {"name": line.title},
                },
            }
            for line in request.lines
        ],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.allowed_countries:
        countries: list[Any] = sorted(set(request.allowed_countries) - _NOT_SHIPPED_TO)
        parameters["shipping_address_collection"] = {"allowed_countries": countries}
    if request.customer_email:
        parameters["customer_email"] = request.customer_email
    return parameters


def _captured(session: stripe.checkout.Session) -> CapturedPayment | None:
    intent = session.payment_intent
    order_id = our_id(session.metadata, ORDER_ID)
    if not isinstance(intent, stripe.PaymentIntent) or order_id is None:
        return None
    charge = intent.latest_charge
    if not isinstance(charge, stripe.Charge) or charge.status != "succeeded" or not charge.captured:
        return None
    return CapturedPayment(
        order_id=order_id,
        payment_id=intent.id,
        charge_id=charge.id,
        amount_cents=charge.amount_captured,
        currency=charge.currency,
    )


def _shipped_to(session: stripe.checkout.Session) -> Address | None:
    collected = session.collected_information
    details = collected.shipping_details if collected else None
    if details is None or not details.address.country:
        return None
    where = details.address
    return Address(
        country=details.address.country,
        name=details.name,
        line1=where.line1,
        line2=where.line2,
        city=where.city,
        state=where.state,
        postal_code=where.postal_code,
    )


def _page_status(status: str | None) -> Literal["open", "complete", "expired"]:
    match status:
        case "complete":
            return "complete"
        case "expired":
            return "expired"
        case _:
            return "open"


def _payment_state(
    session: stripe.checkout.Session, captured: CapturedPayment | None
) -> Literal["unpaid", "processing", "paid"]:
    """A bank debit is `processing` for days after its page was completed, and may yet bounce."""
    if captured is not None:
        return "paid"
    intent = session.payment_intent
    waiting = isinstance(intent, stripe.PaymentIntent) and intent.status == "processing"
    return "processing" if session.status == "complete" and waiting else "unpaid"
