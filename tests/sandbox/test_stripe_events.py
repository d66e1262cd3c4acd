"""Events and webhooks: signed, at least once, in any order, sometimes never."""

import json

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Receiver, Sandbox
from tests.sandbox.shopping import open_session, pay, unfinished_account

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def expire_sessions(client: stripe.StripeClient, count: int) -> None:
    """Each causes exactly one event."""
    for _ in range(count):
        client.v1.checkout.sessions.expire(open_session(client).id)


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(each.body)["id"] for each in receiver.received]


def test_webhooks_pass_the_sdks_own_verification(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    pay(sandbox, open_session(client))
    account = unfinished_account(client)
    sandbox.control(f"stripe/accounts/{account}/complete_onboarding")
    sandbox.drain()
    secrets = {"/stripe": "whsec_sandbox", "/connect": "whsec_sandbox_connect"}
    events = [
        client.construct_event(each.body, each.headers["stripe-signature"], secrets[each.path])
        for each in receiver.received
    ]
    connected = [event for event in events if "account" in event.to_dict()]
    assert {event.type for event in connected} == {"account.updated", "capability.updated"}
    assert {event.account for event in connected} == {account}
    assert "checkout.session.completed" in {event.type for event in events}
    assert {event.api_version for event in events} == {stripe.api_version}


def test_a_refused_webhook_is_sent_again(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.refusals = 2
    expire_sessions(client, 1)
    sandbox.drain()
    assert len(receiver.received) == 1
    assert sandbox.state()["deliveries"]["recent"][0]["attempts"] == 3


def test_copies_arrive_as_often_as_asked(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    sandbox.control("webhooks", copies=3)
    expire_sessions(client, 1)
    sandbox.drain()
    assert len(receiver.received) == 3
    assert len(set(ids(receiver))) == 1


def test_shuffled_webhooks_all_arrive_in_another_order(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    sandbox.control("webhooks", shuffle=True, delay_ms=0, seed=7)
    for _ in range(4):
        pay(sandbox, open_session(client))
    sandbox.drain()
    sent = [event.id for event in reversed(client.v1.events.list({"limit": 100}).data)]
    assert sorted(ids(receiver)) == sorted(sent)
    assert ids(receiver) != sent


def test_what_was_lost_is_listed_as_undelivered_and_can_be_sent_again(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    sandbox.control("webhooks", drop_every=3)
    expire_sessions(client, 6)
    sandbox.drain()
    undelivered = client.v1.events.list({"delivery_success": False}).data
    assert len(receiver.received) == 4
    assert len(undelivered) == 2
    assert not {event.id for event in undelivered} & set(ids(receiver))
    assert undelivered[0].pending_webhooks == 1
    sandbox.control("webhooks")
    for event in undelivered:
        sandbox.control(f"stripe/events/{event.id}/resend")
    sandbox.drain()
    assert client.v1.events.list({"delivery_success": False}).data == []
    assert len(set(ids(receiver))) == 6


def test_losses_by_chance_repeat_with_their_seed(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    patterns = []
    for _ in range(2):
        sandbox.control("webhooks", drop_rate=0.5, seed=3)
        expire_sessions(client, 10)
        sandbox.drain()
        newest = client.v1.events.list({"limit": 10}).data
        patterns.append([event.pending_webhooks for event in newest])
    assert patterns[0] == patterns[1]
    assert 0 < sum(patterns[0]) < 10


def test_events_are_listed_by_type_and_pattern(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    pay(sandbox, open_session(client))
    one = client.v1.events.list({"type": "charge.succeeded"}).data
    assert [event.type for event in one] == ["charge.succeeded"]
    two = client.v1.events.list({"types": ["charge.updated", "checkout.session.completed"]}).data
    assert len(two) == 2
    assert client.v1.events.retrieve(one[0].id).data.object["object"] == "charge"


def test_a_snapshot_is_not_changed_by_what_happens_later(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    pay(sandbox, open_session(client))
    charge = client.v1.charges.list().data[0]
    client.v1.refunds.create({"charge": charge.id})
    succeeded = client.v1.events.list({"type": "charge.succeeded"}).data[0]
    assert succeeded.data.object["amount_refunded"] == 0
