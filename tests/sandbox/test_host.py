"""The host: faults on demand, the control routes, the state it shows."""

import asyncio
import time

import httpx
import pytest
import stripe

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.server import free_port, serve_forever
from tests.sandbox.server import SDK_WARNING, Sandbox, running_sandbox, stripe_client
from tests.sandbox.shopping import open_session, paid_charge

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def test_it_is_ready_soon_after_it_is_started() -> None:
    begun = time.monotonic()
    with running_sandbox() as other:
        assert other.control("drain") == {"drained": True, "counts": {}}
    assert time.monotonic() - begun < 10


def test_a_fault_concerns_the_operations_it_names_as_often_as_it_says(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    sandbox.control(
        "failures",
        provider="stripe",
        operation="POST /v1/checkout/*",
        kind="status",
        status=503,
        times=2,
    )
    client.v1.balance.retrieve()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            open_session(client)
    assert open_session(client).status == "open"


def test_a_refusal_carries_its_message(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    sandbox.control("failures", provider="stripe", kind="refuse", message="Not today.")
    with pytest.raises(stripe.InvalidRequestError, match="Not today"):
        client.v1.balance.retrieve()
    sandbox.http.delete(f"{sandbox.url}/control/failures")
    assert client.v1.balance.retrieve().object == "balance"


def test_latency_outlasts_a_client_that_does_not_wait(sandbox: Sandbox) -> None:
    sandbox.control("failures", provider="stripe", kind="latency", latency_ms=500, times=1)
    with stripe_client(sandbox, timeout_s=0.1) as client, pytest.raises(stripe.APIConnectionError):
        client.v1.balance.retrieve()


def test_a_cut_connection_is_no_answer_but_has_its_effect(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    sandbox.control("failures", provider="stripe", kind="timeout_after_acceptance", times=1)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create({"charge": charge.id, "amount": 100})
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 100


def test_the_state_shows_what_happened_and_a_reset_forgets_it(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    shown = sandbox.state()["stripe"]
    assert shown["counts"]["charges"] == 1
    assert shown["charges"][0]["id"] == charge.id
    assert shown["events"][0]["type"] == "checkout.session.completed"
    sandbox.control("reset")
    assert sandbox.state()["stripe"]["counts"]["events"] == 0


def test_time_only_moves_forwards(sandbox: Sandbox) -> None:
    before = sandbox.state()["now"]
    sandbox.advance(days=1)
    assert sandbox.state()["now"] >= before + 24 * 3600
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.control("clock", advance_seconds=-1)


def test_it_may_start_ahead_of_its_machine_and_stays_so_after_a_reset() -> None:
    week_s = 7 * 24 * 3600
    with running_sandbox("--clock-offset-s", str(week_s)) as ahead:
        ahead.advance(days=1)
        ahead.control("reset")
        assert 0 <= ahead.state()["now"] - int(time.time()) - week_s + 1 < 60


def test_a_long_history_does_not_slow_the_next_call(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    """Filtered lists and balances read an index, not the history."""

    def seconds_for_one_look() -> float:
        """The best of many: what else the machine does must not count."""
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            client.v1.charges.list({"transfer_group": "order-0", "limit": 1})
            client.v1.balance.retrieve()
            times.append(time.perf_counter() - begun)
        return min(times)

    paid_charge(sandbox, client, payment_intent_data={"transfer_group": "order-0"})
    short = seconds_for_one_look()
    for number in range(300):
        group = {"transfer_group": f"order-{number + 1}"}
        session = open_session(client, payment_intent_data=group)
        sandbox.http.post(f"{session.url}/pay", data={"card": "4242424242424242"})
    assert seconds_for_one_look() < 4 * short


async def test_it_can_be_served_as_a_task_of_another_program() -> None:
    port = free_port()
    config = SandboxConfig(base_url=f"http://127.0.0.1:{port}")
    serving = asyncio.create_task(serve_forever(config, port=port))
    transport = httpx.AsyncHTTPTransport(retries=3)
    async with httpx.AsyncClient(transport=transport, base_url=config.base_url) as http:
        assert (await http.get("/control/health")).json() == {"status": "ok"}
    serving.cancel()
    await asyncio.wait([serving], timeout=5)
    assert serving.cancelled()
