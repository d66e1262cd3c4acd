"""Events: frozen snapshots of objects, kept for `/v1/events` and sent signed to the endpoints."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import msgspec

from entrypoints.sandbox.stripe.errors import no_such
from entrypoints.sandbox.stripe.store import API_VERSION, PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

SIGNATURE_SCHEME = "v1"


def emit(
    world: World,
    kind: str,
    subject: Object,
    *,
    account: str = PLATFORM,
    previous: Object | None = None,
) -> None:
    """Record one event; those of connected accounts carry `account` and go to the Connect endpoint.

    `previous` holds the changed attributes as they were before (`*.updated` events).
    """
    data: Object = {"object": subject}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Object = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": world.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    connected = account != PLATFORM
    if connected:
        event["account"] = account
    body = msgspec.json.encode(event)
    world.events.add(
        account, {"id": event["id"], "type": kind, "created": event["created"], "body": body}
    )
    _send(world, event["id"], kind, body, connected=connected)


def resend(world: World, event_id: str) -> None:
    """Send a recorded event once more, as the dashboard's "Resend" does."""
    row = world.events.peek(event_id)
    if row is None:
        raise no_such("event", event_id)
    connected = world.events.owner(event_id) != PLATFORM
    _send(world, event_id, row["type"], row["body"], connected=connected)


def _send(world: World, event_id: str, kind: str, body: bytes, *, connected: bool) -> None:
    config = world.config
    secret = config.stripe_connect_webhook_secret if connected else config.stripe_webhook_secret
    notice = world.delivery.send(
        world.connect_webhook_url if connected else world.webhook_url,
        body,
        signer(secret, body),
        channel="stripe",
        label=kind,
    )
    if notice is not None:
        world.notices[event_id] = notice


def signer(secret: str, body: bytes) -> Callable[[int], dict[str, str]]:
    """HMAC-SHA256 over `timestamp.body`, as in Stripe's "Verify webhook signatures"."""

    def sign(timestamp: int) -> dict[str, str]:
        message = f"{timestamp}.".encode() + body
        digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={timestamp},{SIGNATURE_SCHEME}={digest}"}

    return sign


def delivered(world: World, event_id: str) -> bool:
    """Whether every endpoint has it; True as well where none is registered."""
    notice = world.notices.get(event_id)
    return notice is None or notice.outcome == "delivered"


def as_object(world: World, row: Object) -> Object:
    event: dict[str, Any] = msgspec.json.decode(row["body"])
    event["pending_webhooks"] = 0 if delivered(world, row["id"]) else 1
    return event
