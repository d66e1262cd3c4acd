"""Webhook signatures as fal makes them: Ed25519 over request id, user id, time and body hash.

The key set holds a retired key before the one in use, as it does after a rotation, so that a
verifier that looks at the first key only is found out.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Signer:
    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._retired = Ed25519PrivateKey.generate()
        self._key = Ed25519PrivateKey.generate()

    def headers(self, request_id: str, body: bytes, timestamp: int) -> dict[str, str]:
        digest = hashlib.sha256(body).hexdigest()
        message = "\n".join((request_id, self._user_id, str(timestamp), digest)).encode()
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": self._user_id,
            "X-Fal-Webhook-Timestamp": str(timestamp),
            "X-Fal-Webhook-Signature": self._key.sign(message).hex(),
        }

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [_public(self._retired, "retired"), _public(self._key, "current")]}


def _public(key: Ed25519PrivateKey, name: str) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": name, "x": x}
