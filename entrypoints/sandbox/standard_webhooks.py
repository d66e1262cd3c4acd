"""Webhook signatures by the Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import hashlib
import hmac


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """A rotated secret's signature stands beside the one that counts, as during a rotation."""
    content = b".".join((message_id.encode(), str(timestamp).encode(), body))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signatures = (_signature(b"retired " + key, content), _signature(key, content))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _signature(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
