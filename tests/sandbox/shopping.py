"""The short ways through the played Stripe that most examples begin with."""

from typing import Any

import stripe

from tests.sandbox.server import Sandbox

GOOD_CARD = "4242424242424242"


def payable_account(sandbox: Sandbox, client: stripe.StripeClient) -> str:
    """A connected account that has finished onboarding; answers its id."""
    account = unfinished_account(client)
    sandbox.control(f"stripe/accounts/{account}/complete_onboarding")
    return account


def unfinished_account(client: stripe.StripeClient) -> str:
    account = client.v1.accounts.create(
        {
            "country": "US",
            "email": "payee@example.org",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
        }
    )
    return account.id


def open_session(
    client: stripe.StripeClient, *, amount_cents: int = 5000, **more: Any
) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": amount_cents,
                        "product_data": {"name": "Print"},
                    },
                    "quantity": 1,
                }
            ],
            "success_url": "https://shop.example.org/thanks?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example.org/cart",
            **more,
        }  # type: ignore[arg-type]
    )


def pay(sandbox: Sandbox, session: stripe.checkout.Session, *, card: str = GOOD_CARD) -> Any:
    """Press the button of the hosted page; answers the HTTP response."""
    url = f"{sandbox.stripe_url}/checkout/{session.id}/pay"
    return sandbox.http.post(url, data={"card": card, "email": "buyer@example.org"})


def paid_charge(
    sandbox: Sandbox, client: stripe.StripeClient, *, amount_cents: int = 5000, **more: Any
) -> stripe.Charge:
    session = open_session(client, amount_cents=amount_cents, **more)
    assert pay(sandbox, session).status_code == 303
    return latest_charge(client, session)


def latest_charge(client: stripe.StripeClient, session: stripe.checkout.Session) -> stripe.Charge:
    paid = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    return intent.latest_charge


def event_types(client: stripe.StripeClient, **options: Any) -> list[str]:
    """The types of all recorded events, oldest first."""
    events = client.v1.events.list({"limit": 100}, options)  # type: ignore[arg-type]
    return [event.type for event in reversed(events.data)]
