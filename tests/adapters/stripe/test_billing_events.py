"""What Stripe's events of purchases and plans say: which thing to ask about."""

from typing import Any
from uuid import uuid4

import pytest

from application.ports.payments import (
    Irrelevant,
    PlanCheckoutTold,
    PurchaseTold,
    SubscriptionTold,
)
from tests.adapters.stripe.test_webhooks import read

PURCHASE, CHECKOUT = uuid4(), uuid4()
CHARGE: dict[str, Any] = {"id": "ch_1", "currency": "usd", "captured": True}
INVOICE: dict[str, Any] = {
    "id": "in_1",
    "parent": {
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_1", "metadata": {}},
    },
}


@pytest.mark.parametrize("ending", ["completed", "expired", "async_payment_succeeded"])
def test_pages_are_told_by_what_they_sell(ending: str) -> None:
    kind = f"checkout.session.{ending}"
    credits = {"id": "cs_1", "metadata": {"credit_purchase_id": str(PURCHASE)}}
    assert read(kind, credits) == PurchaseTold(purchase_id=PURCHASE)
    plan = {"id": "cs_1", "metadata": {"plan_checkout_id": str(CHECKOUT)}}
    assert read(kind, plan) == PlanCheckoutTold(checkout_id=CHECKOUT)


def test_a_charge_of_credits_is_no_order() -> None:
    charge = CHARGE | {"metadata": {"credit_purchase_id": str(PURCHASE)}}
    assert read("charge.succeeded", charge) == PurchaseTold(purchase_id=PURCHASE)


@pytest.mark.parametrize("name", ["created", "updated", "deleted", "paused", "resumed"])
def test_subscriptions_name_themselves(name: str) -> None:
    said = read(f"customer.subscription.{name}", {"id": "sub_1"})
    assert said == SubscriptionTold(provider_id="sub_1")


@pytest.mark.parametrize("name", ["finalized", "paid", "payment_failed", "voided"])
def test_invoices_name_their_subscription(name: str) -> None:
    assert read(f"invoice.{name}", INVOICE) == SubscriptionTold(provider_id="sub_1")


@pytest.mark.parametrize("parent", [None, {"type": "quote_details", "subscription_details": None}])
def test_invoices_of_anything_else_are_none_of_ours(parent: object) -> None:
    said = read("invoice.paid", {"id": "in_1", "parent": parent})
    assert isinstance(said, Irrelevant)
