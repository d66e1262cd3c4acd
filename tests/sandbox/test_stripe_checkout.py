"""Checkout: a page that a person, or a form post, pays on."""

import time
from typing import Any

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox
from tests.sandbox.shopping import event_types, latest_charge, open_session, pay

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def test_the_page_shows_the_lines_and_returns_to_the_shop_when_paid(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    session = open_session(client)
    assert session.url is not None
    page = sandbox.http.get(session.url)
    assert page.status_code == 200
    assert "1 × Print" in page.text
    assert "$50.00" in page.text
    answer = pay(sandbox, session)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.example.org/thanks?session={session.id}"
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert paid.customer_details is not None
    assert paid.customer_details.email == "buyer@example.org"


def test_the_fee_arrives_after_the_charge(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    pay(sandbox, open_session(client))
    assert event_types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
    ]
    events = {event.type: event.data.object for event in client.v1.events.list().data}
    assert events["charge.succeeded"]["balance_transaction"] is None
    assert events["charge.updated"]["balance_transaction"].startswith("txn_")


def test_the_charge_takes_over_metadata_and_transfer_group(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    data = {"transfer_group": "order-1", "metadata": {"order": "1"}}
    session = open_session(client, payment_intent_data=data)
    pay(sandbox, session)
    charge = latest_charge(client, session)
    assert charge.transfer_group == "order-1"
    assert charge.metadata["order"] == "1"


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [("4000000000000002", "generic_decline"), ("4000000000009995", "insufficient_funds")],
)
def test_a_decline_leaves_the_session_open_for_another_card(
    sandbox: Sandbox, client: stripe.StripeClient, card: str, decline_code: str
) -> None:
    session = open_session(client)
    answer = pay(sandbox, session, card=card)
    assert answer.status_code == 402
    assert 'role="alert"' in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    charge = client.v1.charges.list().data[0]
    assert (charge.status, charge.failure_code) == ("failed", "card_declined")
    assert charge.outcome is not None
    assert charge.outcome.reason == decline_code
    assert event_types(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert pay(sandbox, session).status_code == 303
    assert len(client.v1.payment_intents.list().data) == 1


def test_pressing_pay_twice_charges_once(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = open_session(client)
    assert pay(sandbox, session).headers == pay(sandbox, session).headers
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("card", "payment_status", "event"),
    [
        ("bank_debit", "paid", "checkout.session.async_payment_succeeded"),
        ("bank_debit_fails", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_bank_debit_completes_the_session_before_it_is_paid(
    sandbox: Sandbox, client: stripe.StripeClient, card: str, payment_status: str, event: str
) -> None:
    session = open_session(client)
    assert pay(sandbox, session, card=card).status_code == 303
    completed = client.v1.events.list({"type": "checkout.session.completed"}).data[0]
    assert completed.data.object["payment_status"] == "unpaid"
    sandbox.drain()
    settled = client.v1.checkout.sessions.retrieve(session.id)
    assert (settled.status, settled.payment_status) == ("complete", payment_status)
    assert event_types(client)[-1] == event


def test_an_expired_session_cannot_be_paid(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = open_session(client)
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    assert pay(sandbox, session).status_code == 410
    assert event_types(client) == ["checkout.session.expired"]
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_session_expires_by_itself(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = open_session(client, expires_at=int(time.time()) + 1800)
    sandbox.control("clock", advance_seconds=1801)
    assert event_types(client) == ["checkout.session.expired"]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_the_shipping_address_stays_within_the_allowed_countries(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    session = open_session(
        client,
        shipping_address_collection={"allowed_countries": ["US", "CA"]},
        shipping_options=[
            {
                "shipping_rate_data": {
                    "display_name": "Post",
                    "type": "fixed_amount",
                    "fixed_amount": {"amount": 700, "currency": "usd"},
                }
            }
        ],
    )
    assert session.amount_total == 5700
    url = f"{sandbox.stripe_url}/checkout/{session.id}/pay"
    card = {"card": "4242424242424242"}
    assert sandbox.http.post(url, data=card | {"shipping_country": "DE"}).status_code == 402
    assert sandbox.http.post(url, data=card | {"shipping_country": "CA"}).status_code == 303
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.collected_information is not None
    assert paid.collected_information.shipping_details is not None
    assert paid.collected_information.shipping_details.address.country == "CA"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"mode": "setup"}, "mode"),
        ({"mode": "subscription"}, "line_items"),
        ({"expires_at": 1}, "expires_at"),
        ({"success_url": "thanks"}, "success_url"),
        ({"line_items": [{"price": "price_absent"}]}, "line_items[0][price]"),
    ],
)
def test_sessions_that_cannot_be_played_are_refused(
    client: stripe.StripeClient, change: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, **change)
    assert refused.value.param == param


def test_less_than_fifty_cents_is_too_little(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, amount_cents=49)
    assert refused.value.code == "amount_too_small"
