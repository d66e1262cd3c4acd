"""Transfers and reversals: within the charge, to who may receive, from what is available."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox
from tests.sandbox.shopping import event_types, paid_charge, payable_account, unfinished_account

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def balance(client: stripe.StripeClient, account: str | None = None) -> tuple[int, int]:
    """Available and pending, in cents."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    now = client.v1.balance.retrieve(options=options)
    return now.available[0].amount, now.pending[0].amount


def test_a_transfer_may_draw_on_a_charge_that_has_not_settled(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client, payment_intent_data={"transfer_group": "order-1"})
    transfer = client.v1.transfers.create(
        {
            "amount": 4000,
            "currency": "usd",
            "destination": account,
            "source_transaction": charge.id,
            "metadata": {"transfer": "t-1"},
        }
    )
    assert transfer.transfer_group == "order-1"
    assert balance(client, account) == (0, 4000)
    assert balance(client) == (0, 4825 - 4000)
    sandbox.advance(days=2)
    assert balance(client, account) == (4000, 0)
    assert balance(client) == (825, 0)
    found = client.v1.transfers.list({"transfer_group": "order-1"})
    assert [each.metadata["transfer"] for each in found.data] == ["t-1"]
    received = client.v1.balance_transactions.list(options={"stripe_account": account}).data
    assert [(each.type, each.net) for each in received] == [("payment", 4000)]


def test_the_transfers_of_a_charge_stay_within_it(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client, amount_cents=1000)

    def transfer(amount_cents: int) -> stripe.Transfer:
        return client.v1.transfers.create(
            {
                "amount": amount_cents,
                "currency": "usd",
                "destination": account,
                "source_transaction": charge.id,
            }
        )

    transfer(600)
    with pytest.raises(stripe.InvalidRequestError, match=r"only \$4.00"):
        transfer(401)
    transfer(400)


def test_a_transfer_has_the_currency_of_its_charge(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create(
            {
                "amount": 1,
                "currency": "eur",
                "destination": account,
                "source_transaction": charge.id,
            }
        )
    assert refused.value.param == "currency"


def test_once_the_charge_has_settled_the_platform_needs_the_money(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client, amount_cents=1000)
    sandbox.advance(days=2)
    sandbox.control("stripe/balance", amount=-900)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create(
            {
                "amount": 500,
                "currency": "usd",
                "destination": account,
                "source_transaction": charge.id,
            }
        )
    assert refused.value.code == "balance_insufficient"


def test_who_has_not_finished_onboarding_receives_nothing(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create(
            {"amount": 1, "currency": "usd", "destination": unfinished_account(client)}
        )
    assert refused.value.code == "insufficient_capabilities_for_transfer"


def funded_transfer(
    sandbox: Sandbox, client: stripe.StripeClient, *, amount_cents: int = 1000
) -> stripe.Transfer:
    """A transfer whose money is available on the connected account."""
    account = payable_account(sandbox, client)
    sandbox.control("stripe/balance", amount=amount_cents)
    return client.v1.transfers.create(
        {"amount": amount_cents, "currency": "usd", "destination": account}
    )


def test_a_transfer_is_reversed_in_parts_until_nothing_is_left(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    transfer = funded_transfer(sandbox, client)
    client.v1.transfers.reversals.create(transfer.id, {"amount": 300, "metadata": {"refund": "1"}})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(transfer.id, {"amount": 701})
    assert refused.value.param == "amount"
    client.v1.transfers.reversals.create(transfer.id)
    after = client.v1.transfers.retrieve(transfer.id)
    assert (after.amount_reversed, after.reversed) == (1000, True)
    listed = client.v1.transfers.reversals.list(transfer.id).data
    assert [each.amount for each in listed] == [700, 300]
    assert balance(client) == (1000, 0)
    assert event_types(client).count("transfer.reversed") == 2


def test_a_reversal_needs_the_money_on_the_connected_account(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    transfer = funded_transfer(sandbox, client)
    sandbox.control(f"stripe/accounts/{transfer.destination}/balance", amount=-600)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(transfer.id, {"amount": 500})
    assert refused.value.code == "balance_insufficient"
    assert client.v1.transfers.reversals.create(transfer.id, {"amount": 400}).amount == 400


def test_a_connected_balance_may_become_negative(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    sandbox.control(f"stripe/accounts/{account}/balance", amount=-250)
    assert balance(client, account) == (-250, 0)


def test_a_payout_leaves_the_connected_account_and_may_come_back(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = str(funded_transfer(sandbox, client).destination)
    options: stripe.RequestOptions = {"stripe_account": account}
    payout = client.v1.payouts.create({"amount": 1000, "currency": "usd"}, options)
    assert (payout.status, balance(client, account)) == ("pending", (0, 0))
    sandbox.drain()
    assert client.v1.payouts.retrieve(payout.id, options=options).status == "paid"
    sandbox.control(f"stripe/payouts/{payout.id}/fail", code="account_closed")
    failed = client.v1.payouts.retrieve(payout.id, options=options)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert balance(client, account) == (1000, 0)
    kinds = [kind for kind in event_types(client, **options) if kind.startswith("payout.")]
    assert kinds == ["payout.created", "payout.paid", "payout.failed"]
