"""Proof that a webhook is FlowPay's, by Standard Webhooks, and what it is about.

The signature is HMAC-SHA256 over `id.timestamp.body`, in base64; the header lists several behind
`v1,` while a secret is replaced. (standardwebhooks.com, "Verifying webhook authenticity")
"""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from adapters.flowpay.transfers import payout_of
from application.ports.payments import InboundEvent
from application.ports.payouts import PayoutEvent
from application.ports.webhooks import SignatureRefused

SOURCE = "payout"
TOLERANCE_S = 300
PREFIX = "whsec_"
_UNIX_TIME = re.compile(r"[0-9]{1,12}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


class _Transfer(msgspec.Struct):
    reference: str | None = None


class _Event(msgspec.Struct):
    type: str
    data: _Transfer


_decode = msgspec.json.Decoder(_Event).decode


class FlowPayWebhooks:
    """`secrets`: `whsec_` and base64; none means that nothing is believed. `now_s` is the
    computer's time: providers sign by that, wherever the product's clock stands."""

    def __init__(self, *, secrets: Sequence[str], now_s: Callable[[], float] = time.time) -> None:
        self._keys = tuple(_key(secret) for secret in secrets)
        self._now_s = now_s

    def verify(self, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        given = {name.lower(): value for name, value in headers.items()}
        message_id = given.get("webhook-id", "")
        stamp = given.get("webhook-timestamp", "")
        if not _MESSAGE_ID.fullmatch(message_id) or not _UNIX_TIME.fullmatch(stamp):
            raise SignatureRefused("The webhook's headers are missing or malformed.")
        if abs(self._now_s() - int(stamp)) > TOLERANCE_S:
            raise SignatureRefused("The signature is too old, or from the future.")
        content = b".".join((message_id.encode(), stamp.encode(), body))
        self._require_signed(content, given.get("webhook-signature", ""))
        try:
            event = _decode(body)
        except msgspec.DecodeError:
            raise SignatureRefused("The signed body is not an event.") from None
        return InboundEvent(source=SOURCE, external_id=message_id, kind=event.type, payload=body)

    def read(self, payload: bytes) -> PayoutEvent:
        event = _decode(payload)
        ours = event.type.startswith("transfer.")
        return PayoutEvent(payout_id=payout_of(event.data.reference) if ours else None)

    def _require_signed(self, content: bytes, header: str) -> None:
        candidates = [
            value.encode()
            for version, _, value in (part.partition(",") for part in header.split())
            if version == "v1"
        ]
        for key in self._keys:
            expected = base64.b64encode(hmac.digest(key, content, "sha256"))
            if any(hmac.compare_digest(expected, candidate) for candidate in candidates):
                return
        raise SignatureRefused("The signature does not match.")


def _key(secret: str) -> bytes:
    """An empty secret would let anybody sign."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is not base64") from None
    if not key:
        raise ValueError("a webhook secret is empty")
    return key
