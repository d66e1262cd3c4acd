"""Seals by HMAC-SHA256 under the installation's secret keys."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence


class HmacSeals:
    """The first key seals; the others still open, so that keys can be changed. Each purpose has a
    key of its own, derived from them: a token for one is nothing to another."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("sealing needs a key")
        self._secrets = tuple(secrets)

    def seal(self, purpose: str, content: bytes) -> str:
        return f"{_text(content)}.{_text(_mac(self._secrets[0], purpose, content))}"

    def open(self, purpose: str, token: str) -> bytes | None:
        head, _, tail = token.partition(".")
        content, mac = _bytes(head), _bytes(tail)
        if content is None or mac is None:
            return None
        known = (_mac(secret, purpose, content) for secret in self._secrets)
        return content if any(hmac.compare_digest(mac, each) for each in known) else None


def _mac(secret: bytes, purpose: str, content: bytes) -> bytes:
    key = hmac.digest(secret, f"seal:{purpose}".encode(), hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
