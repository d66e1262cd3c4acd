"""Idempotency keys: one key, one effect, one answer."""

import threading
import time

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox, stripe_client
from tests.sandbox.shopping import paid_charge, payable_account

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def test_the_same_key_and_parameters_give_the_first_answer_again(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    first = client.v1.refunds.create({"charge": charge.id, "amount": 10}, {"idempotency_key": "r"})
    again = client.v1.refunds.create({"charge": charge.id, "amount": 10}, {"idempotency_key": "r"})
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert sandbox.state()["stripe"]["counts"]["refunds"] == 1


def test_other_parameters_under_the_same_key_are_an_error(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    client.v1.refunds.create({"charge": charge.id, "amount": 10}, {"idempotency_key": "r"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"charge": charge.id, "amount": 20}, {"idempotency_key": "r"})


def test_a_refusal_is_kept_for_a_day_then_the_call_runs_again(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)

    def transfer() -> stripe.Transfer:
        return client.v1.transfers.create(
            {"amount": 100, "currency": "usd", "destination": account}, {"idempotency_key": "t"}
        )

    with pytest.raises(stripe.InvalidRequestError):
        transfer()
    sandbox.control("stripe/balance", amount=100)
    with pytest.raises(stripe.InvalidRequestError) as replayed:
        transfer()
    assert replayed.value.code == "balance_insufficient"
    sandbox.advance(days=1)
    assert transfer().amount == 100


def test_a_validation_failure_does_not_use_up_the_key(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.accounts.create({"country": "US", "type": "odd"}, {"idempotency_key": "a"})
    assert client.v1.accounts.create({"country": "US"}, {"idempotency_key": "a"}).id


def test_a_stored_500_is_replayed_but_a_429_is_not(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    sandbox.control("failures", provider="stripe", kind="status", status=500, times=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.accounts.create({}, {"idempotency_key": "a"})
    sandbox.control("failures", provider="stripe", kind="status", status=429, times=1)
    with pytest.raises(stripe.RateLimitError):
        client.v1.accounts.create({}, {"idempotency_key": "b"})
    assert client.v1.accounts.create({}, {"idempotency_key": "b"}).id


def test_a_call_that_is_still_running_is_a_conflict(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    sandbox.control("failures", provider="stripe", kind="latency", latency_ms=1500, times=1)
    options: stripe.RequestOptions = {"idempotency_key": "slow"}
    with stripe_client(sandbox) as other:
        slow = threading.Thread(target=lambda: other.v1.accounts.create({}, options))
        slow.start()
        time.sleep(0.5)
        with pytest.raises(stripe.StripeError) as conflict:
            client.v1.accounts.create({}, options)
        slow.join()
    assert conflict.value.http_status == 409
    assert client.v1.accounts.create({}, options).id


def test_a_connection_lost_after_acceptance_has_its_effect_once(sandbox: Sandbox) -> None:
    sandbox.control(
        "failures",
        provider="stripe",
        operation="POST /v1/accounts",
        kind="timeout_after_acceptance",
        times=1,
    )
    with stripe_client(sandbox, retries=2) as client:
        account = client.v1.accounts.create({"country": "US"})
        assert [each.id for each in client.v1.accounts.list().data] == [account.id]
