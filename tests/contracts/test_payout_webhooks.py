"""Proof of who speaks: Standard Webhooks, several secrets, and a window of five minutes."""

import base64
import json
import time
from uuid import UUID, uuid4

import pytest

from adapters.flowpay.webhooks import FlowPayWebhooks
from application.ports.webhooks import SignatureRefused
from tests.contracts.conftest import Sandbox
from tests.contracts.payout_providers import FlowPaySandbox, standard_webhook
from tests.sandbox.server import Receiver

NOW = 1_780_000_000
OLD = "whsec_" + base64.b64encode(b"the old secret").decode()
NEW = "whsec_" + base64.b64encode(b"the new secret").decode()


def webhooks(*secrets: str) -> FlowPayWebhooks:
    return FlowPayWebhooks(secrets=secrets or (NEW, OLD), now_s=lambda: NOW)


def event(reference: object, kind: str = "transfer.completed") -> bytes:
    return json.dumps({"type": kind, "data": {"id": "ft_1", "reference": str(reference)}}).encode()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_both_secrets_of_a_rotation_are_believed(secret: str) -> None:
    payout_id = uuid4()
    body = event(payout_id)

    found = webhooks().verify(standard_webhook(body, secret=secret, at=NOW), body)

    assert (found.source, found.external_id, found.kind) == (
        "payout",
        "msg_1",
        "transfer.completed",
    )
    assert webhooks().read(found.payload).payout_id == payout_id


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_the_past_and_the_future_are_refused(at: int) -> None:
    body = event(uuid4())

    with pytest.raises(SignatureRefused):
        webhooks().verify(standard_webhook(body, secret=NEW, at=at), body)


@pytest.mark.parametrize("at", [NOW - 299, NOW + 299])
def test_five_minutes_are_forgiven(at: int) -> None:
    body = event(uuid4())

    webhooks().verify(standard_webhook(body, secret=NEW, at=at), body)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Signature": "v1,bm90IGl0"},
        {"Webhook-Signature": ""},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Id": ""},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str]) -> None:
    body = event(uuid4())
    headers = standard_webhook(body, secret=NEW, at=NOW) | change

    with pytest.raises(SignatureRefused):
        webhooks().verify(headers, body)


def test_another_body_is_refused() -> None:
    headers = standard_webhook(event(uuid4()), secret=NEW, at=NOW)

    with pytest.raises(SignatureRefused):
        webhooks().verify(headers, event(uuid4()))


def test_without_secrets_nobody_is_believed() -> None:
    body = event(uuid4())
    nothing = FlowPayWebhooks(secrets=(), now_s=lambda: NOW)

    with pytest.raises(SignatureRefused):
        nothing.verify(standard_webhook(body, secret=NEW, at=NOW), body)
    with pytest.raises(ValueError, match="empty"):
        FlowPayWebhooks(secrets=("whsec_",))


def test_others_transfers_are_not_ours() -> None:
    assert webhooks().read(event("invoice 7")).payout_id is None
    assert webhooks().read(event(UUID(int=1), kind="account.updated")).payout_id is None


async def test_what_the_sandbox_sends_is_believed(sandbox: Sandbox) -> None:
    world = FlowPaySandbox(sandbox)
    with Receiver() as receiver:
        sandbox.control("flowpay/behaviour", webhook_url=receiver.url)
        order = world.order(await world.destination())
        fact = await world.rail.send(order)
        await world.complete(order.payout_id, fact.provider_id)
        await world.give_back(order.payout_id, fact.provider_id)
        sandbox.drain()
    await world.api.aclose()

    ours = FlowPayWebhooks(secrets=("whsec_c2FuZGJveC1mbG93cGF5LXNlY3JldA==",), now_s=time.time)
    found = [ours.verify(told.headers, told.body) for told in receiver.received]
    assert {one.kind for one in found} == {"transfer.completed", "transfer.returned"}
    assert {ours.read(one.payload).payout_id for one in found} == {order.payout_id}
