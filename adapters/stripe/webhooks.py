"""The `PaymentWebhooks` port over Stripe: verified, kept as they came, understood later.

Two endpoints are registered at Stripe, one for our own account and one for connected accounts; each
has its own secrets, several while one replaces another.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import stripe

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import PROVIDER, in_our_words
from adapters.stripe.events import understand
from adapters.stripe.signatures import require_signature
from application.ports.errors import Unavailable
from application.ports.payments import InboundEvent, PaymentEvent
from application.ports.webhooks import SignatureRefused

Endpoint = Literal["platform", "connect"]
SOURCES: Mapping[Endpoint, str] = {"platform": "stripe", "connect": "stripe-connect"}
PAGE = 100


class _Head(msgspec.Struct):
    id: str
    type: str


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_page = msgspec.json.Decoder(_Page).decode


class StripeWebhooks:
    """`now_s` is the computer's time: Stripe signs by that, wherever the product's clock stands."""

    def __init__(
        self,
        api: StripeApi,
        *,
        platform_secrets: Sequence[str],
        connect_secrets: Sequence[str],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._client = api.client
        self._secrets: dict[Endpoint, tuple[bytes, ...]] = {
            "platform": _keys(platform_secrets),
            "connect": _keys(connect_secrets),
        }
        self._now_s = now_s

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, endpoint: Endpoint
    ) -> InboundEvent:
        header = headers.get("stripe-signature") or headers.get("Stripe-Signature") or ""
        require_signature(header, body, secrets=self._secrets[endpoint], now_s=self._now_s())
        try:
            head = _decode_head(body)
        except msgspec.DecodeError:
            raise SignatureRefused("The signed body is not an event.") from None
        return InboundEvent(
            source=SOURCES[endpoint], external_id=head.id, kind=head.type, payload=body
        )

    def read(self, payload: bytes) -> PaymentEvent:
        return understand(payload)

    async def undelivered(self, *, since: datetime) -> AsyncIterator[Sequence[InboundEvent]]:
        """Our own account's events, newest first; Stripe keeps them for 30 days.

        Stripe lists a connected account's events only when asked as that account, which costs as
        much as asking for its state: what the Connect endpoint missed, `account_state` tells.
        """
        asked: dict[str, Any] = {
            "delivery_success": "false",
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
        }
        while True:
            page = await self._event_page(asked)
            found = [_listed(bytes(raw)) for raw in page.data]
            if found:
                yield found
            if not found or not page.has_more:
                return
            asked["starting_after"] = found[-1].external_id

    async def _event_page(self, asked: Mapping[str, Any]) -> _Page:
        """Undecoded, so that the inbox keeps the very bytes that an event arrives with."""
        with in_our_words():
            answer: stripe.StripeResponse = await self._client.raw_request_async(
                "get", "/v1/events", **asked
            )
        try:
            return _decode_page(answer.body)
        except msgspec.DecodeError:
            raise Unavailable("Stripe's list makes no sense.", provider=PROVIDER) from None


def _keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """An empty secret would let anybody sign."""
    if not all(secret.strip() for secret in secrets):
        raise ValueError("a webhook secret is empty")
    return tuple(secret.encode() for secret in secrets)


def _listed(payload: bytes) -> InboundEvent:
    head = _decode_head(payload)
    return InboundEvent(
        source=SOURCES["platform"], external_id=head.id, kind=head.type, payload=payload
    )
