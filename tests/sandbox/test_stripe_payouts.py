"""Payouts of connected accounts: what lies there, who is told, and what comes back."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Receiver, Sandbox, stripe_client

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def connected(client: stripe.StripeClient, sandbox: Sandbox, *, cents: int) -> str:
    account = client.v1.accounts.create(
        {
            "controller": {
                "losses": {"payments": "application"},
                "fees": {"payer": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
        }
    ).id
    sandbox.control(f"stripe/accounts/{account}/complete_onboarding")
    sandbox.control(f"stripe/accounts/{account}/balance", amount=cents)
    return account


def pay_out(
    client: stripe.StripeClient, account: str, cents: int, method: str = "instant"
) -> stripe.Payout:
    return client.v1.payouts.create(
        {"amount": cents, "currency": "usd", "method": method},
        {"stripe_account": account},
    )


def available(client: stripe.StripeClient, account: str) -> int:
    balance = client.v1.balance.retrieve(None, {"stripe_account": account})
    return balance.available[0].amount


@pytest.mark.parametrize("method", ["instant", "standard"])
def test_the_connect_endpoint_is_told_what_became_of_a_payout(
    sandbox: Sandbox, method: str
) -> None:
    with stripe_client(sandbox) as client, Receiver() as receiver:
        sandbox.control("stripe/endpoints", connect_url=receiver.url)
        account = connected(client, sandbox, cents=5000)
        payout = pay_out(client, account, 3000, method)
        sandbox.drain()
        assert available(client, account) == 2000
        sandbox.control(f"stripe/payouts/{payout.id}/fail", code="account_closed")
        sandbox.drain()

        events = [
            event
            for told in receiver.received
            if (event := stripe.Event.construct_from(_json(told.body), None)).account == account
            and event.type.startswith("payout.")
        ]
        assert [event.type for event in events] == [
            "payout.created",
            "payout.paid",
            "payout.failed",
        ]
        assert available(client, account) == 5000
        sandbox.control("stripe/endpoints", connect_url="")


def test_a_payout_waits_for_its_word_when_told_so(sandbox: Sandbox) -> None:
    with stripe_client(sandbox) as client:
        sandbox.control("stripe/payouts", automatic=False)
        account = connected(client, sandbox, cents=5000)
        payout = pay_out(client, account, 3000)
        sandbox.drain()
        assert _status(client, account, payout.id) == "pending"

        sandbox.control(f"stripe/payouts/{payout.id}/pay")
        assert _status(client, account, payout.id) == "paid"


def test_a_balance_below_zero_pays_nothing_out(sandbox: Sandbox) -> None:
    """As it is left where a reversal took what had been paid out."""
    with stripe_client(sandbox) as client:
        account = connected(client, sandbox, cents=5000)
        pay_out(client, account, 5000)
        sandbox.control(f"stripe/accounts/{account}/balance", amount=-1200)
        assert available(client, account) == -1200

        with pytest.raises(stripe.InvalidRequestError) as refusal:
            pay_out(client, account, 100)
        assert refusal.value.code == "balance_insufficient"


def _status(client: stripe.StripeClient, account: str, payout_id: str) -> str:
    return client.v1.payouts.retrieve(payout_id, None, {"stripe_account": account}).status


def _json(body: bytes) -> dict[str, object]:
    import json

    decoded: dict[str, object] = json.loads(body)
    return decoded
