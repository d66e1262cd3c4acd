"""The played Stripe's billing, by its own API: cards, setup intents, prices, plans that renew."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox
from tests.sandbox.shopping import event_types

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def customer(client: stripe.StripeClient, *, card: str | None = "pm_card_visa") -> str:
    made = client.v1.customers.create({"email": "ada@example.org"})
    if card is not None:
        intent = client.v1.setup_intents.create(
            {"customer": made.id, "payment_method": card, "confirm": True}
        )
        chosen = str(intent.payment_method)
        client.v1.customers.update(
            made.id, {"invoice_settings": {"default_payment_method": chosen}}
        )
    return made.id


def price(client: stripe.StripeClient, *, cents: int = 1000, key: str = "gold") -> str:
    return client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": cents,
            "recurring": {"interval": "month"},
            "lookup_key": key,
            "product_data": {"name": "Gold"},
        }
    ).id


def subscribe(client: stripe.StripeClient, customer_id: str, price_id: str) -> stripe.Subscription:
    return client.v1.subscriptions.create({"customer": customer_id, "items": [{"price": price_id}]})


def test_a_setup_intent_keeps_a_card(client: stripe.StripeClient) -> None:
    customer_id = customer(client)
    (kept,) = client.v1.payment_methods.list({"customer": customer_id}).data
    assert kept.card is not None
    assert kept.card.last4 == "4242"
    client.v1.payment_methods.detach(kept.id)
    assert client.v1.payment_methods.list({"customer": customer_id}).data == []


def test_a_declined_card_is_not_kept(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as refused:
        customer(client, card="pm_card_chargeDeclined")
    assert refused.value.code == "card_declined"
    assert "setup_intent.setup_failed" in event_types(client)


def test_a_lookup_key_names_one_price(client: stripe.StripeClient) -> None:
    made = price(client)
    found = client.v1.prices.list({"lookup_keys": ["gold"], "active": True}).data
    assert [one.id for one in found] == [made]
    with pytest.raises(stripe.InvalidRequestError):
        price(client)


def test_months_keep_the_day_of_the_first_one(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    subscription = subscribe(client, customer(client), price(client))
    for months in range(1, 4):
        sandbox.control("clock", advance_seconds=31 * 24 * 3600)
        paid = client.v1.invoices.list({"subscription": subscription.id, "status": "paid"}).data
        assert len(paid) == 1 + months
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_card_that_fails_later_ends_the_plan_after_four_tries(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    customer_id = customer(client)
    subscription = subscribe(client, customer_id, price(client))
    failing = client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer_id}
    )
    client.v1.customers.update(
        customer_id, {"invoice_settings": {"default_payment_method": failing.id}}
    )
    sandbox.control("clock", advance_seconds=31 * 24 * 3600)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    for _ in range(3):
        sandbox.control("clock", advance_seconds=3 * 24 * 3600)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    told = event_types(client)
    assert told.count("invoice.payment_failed") == 4
    assert told[-1] == "customer.subscription.deleted"


def test_another_price_is_charged_for_the_rest_of_the_period(client: stripe.StripeClient) -> None:
    subscription = subscribe(client, customer(client), price(client))
    item = subscription["items"]["data"][0]
    dearer = price(client, cents=3000, key="platinum")
    client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item["id"], "price": dearer}]}
    )
    newest = client.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert (newest.billing_reason, newest.status) == ("subscription_update", "paid")
    assert 1990 <= newest.amount_paid <= 2000


def test_an_invoice_tells_its_payment_when_asked(client: stripe.StripeClient) -> None:
    subscription = subscribe(client, customer(client), price(client))
    invoice = client.v1.invoices.retrieve(
        str(subscription.latest_invoice), {"expand": ["payments.data.payment.payment_intent"]}
    )
    assert invoice.parent is not None
    assert invoice.payments is not None
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.amount_received == 1000
