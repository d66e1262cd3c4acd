"""Who sent a webhook: Stripe's signature scheme v1, over the raw bytes.

The header is `t=<unix time>,v1=<hex>[,v1=<hex>…]`; the signature is HMAC-SHA256 over
`<t>.<body>` (Stripe, "Verify webhook signatures manually"). The SDK's check knows one secret at a
time and accepts times that lie in the future.
"""

import hmac
import re
from collections.abc import Sequence

from application.ports.webhooks import SignatureRefused

TOLERANCE_S = 300
_SCHEME = "v1"
_UNIX_TIME = re.compile(r"[0-9]{1,12}")


def require_signature(header: str, body: bytes, *, secrets: Sequence[bytes], now_s: float) -> None:
    """Raises SignatureRefused unless one of `secrets` signed these bytes at about this time."""
    timestamp, signatures = _parse(header)
    if timestamp is None or not signatures:
        raise SignatureRefused("The Stripe-Signature header is missing or malformed.")
    if abs(now_s - timestamp) > TOLERANCE_S:
        raise SignatureRefused("The signature is too old, or from the future.")
    signed = b"%d.%b" % (timestamp, body)
    for secret in secrets:
        expected = hmac.digest(secret, signed, "sha256").hex().encode()
        if any(hmac.compare_digest(expected, candidate) for candidate in signatures):
            return
    raise SignatureRefused("The signature does not match.")


def _parse(header: str) -> tuple[int | None, list[bytes]]:
    timestamp: int | None = None
    signatures: list[bytes] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            timestamp = int(value) if _UNIX_TIME.fullmatch(value) else None
        elif name == _SCHEME:
            signatures.append(value.encode())
    return timestamp, signatures
