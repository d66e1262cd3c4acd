"""The played payment provider's webhooks: signed, and delivered when somebody takes them."""

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from application.ports.clock import Clock
from application.ports.payments import InboundEvent, PaymentEvent
from application.ports.webhooks import SignatureRefused

Endpoint = Literal["platform", "connect"]
HEADER = "memory-signature"
TOLERANCE_S = 300
PAGE = 100
SOURCES: Mapping[Endpoint, str] = {"platform": "memory", "connect": "memory-connect"}


class _Message(msgspec.Struct):
    id: str
    kind: str
    event: PaymentEvent


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook as it would arrive."""

    endpoint: Endpoint
    headers: dict[str, str]
    body: bytes
    at: datetime


class MemoryPaymentWebhooks:
    """The first secret of an endpoint signs; all of them are accepted."""

    def __init__(
        self,
        clock: Clock,
        *,
        platform_secrets: Sequence[str] = ("memory",),
        connect_secrets: Sequence[str] = ("memory-connect",),
    ) -> None:
        self._clock = clock
        self._secrets: dict[Endpoint, tuple[str, ...]] = {
            "platform": tuple(platform_secrets),
            "connect": tuple(connect_secrets),
        }
        self._told = 0
        self._waiting: list[Told] = []

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, endpoint: Endpoint
    ) -> InboundEvent:
        stamp = headers.get(HEADER, "").partition(".")[0]
        if not stamp.isdigit():
            raise SignatureRefused("There is no signature.")
        if abs(self._clock.now().timestamp() - int(stamp)) > TOLERANCE_S:
            raise SignatureRefused("The signature is too old, or from the future.")
        expected = [sign(body, secret=s, timestamp=int(stamp)) for s in self._secrets[endpoint]]
        if not any(
            hmac.compare_digest(headers[HEADER], candidate[HEADER]) for candidate in expected
        ):
            raise SignatureRefused("The signature does not match.")
        return _inbound(body, endpoint)

    def read(self, payload: bytes) -> PaymentEvent:
        return msgspec.json.decode(payload, type=_Message).event

    async def undelivered(self, *, since: datetime) -> AsyncIterator[Sequence[InboundEvent]]:
        waiting = [told for told in self._waiting if told.endpoint == "platform"]
        found = [_inbound(told.body, told.endpoint) for told in waiting if told.at >= since]
        for start in range(0, len(found), PAGE):
            yield found[start : start + PAGE]

    def tell(self, event: PaymentEvent, *, endpoint: Endpoint = "platform") -> Told:
        self._told += 1
        message = _Message(id=f"evt_{self._told}", kind=type(event).__name__, event=event)
        body = msgspec.json.encode(message)
        now = self._clock.now()
        secret = self._secrets[endpoint][0]
        headers = sign(body, secret=secret, timestamp=int(now.timestamp()))
        told = Told(endpoint, headers, body, now)
        self._waiting.append(told)
        return told

    def take(self) -> list[Told]:
        """Everything told since the last time, in order; it counts as delivered from now on."""
        taken, self._waiting = self._waiting, []
        return taken


def sign(body: bytes, *, secret: str, timestamp: int) -> dict[str, str]:
    signed = f"{timestamp}.".encode() + body
    return {HEADER: f"{timestamp}.{hmac.digest(secret.encode(), signed, 'sha256').hex()}"}


def _inbound(body: bytes, endpoint: Endpoint) -> InboundEvent:
    message = msgspec.json.decode(body, type=_Message)
    return InboundEvent(
        source=SOURCES[endpoint], external_id=message.id, kind=message.kind, payload=body
    )
