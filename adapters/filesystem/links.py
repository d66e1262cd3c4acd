"""Download links that the application signs and serves itself, with the contract of S3's."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote, urlencode

from application.ports.clock import Clock
from application.ports.storage import LinkExpired, LinkRefused

MAX_LIFE = timedelta(days=7)
"""As long as S3 allows."""


class SignedLinks:
    """Links of the form `{base_url}/{key}?expires=…&name=…&signature=…`.

    The signature is HMAC-SHA256 over key, expiry (Unix seconds) and download name. The first of
    `secrets` signs; links signed with any of them are served, so that a secret can rotate. Whoever
    holds one can read every object: each needs at least 32 bytes, and all processes share them.
    """

    def __init__(self, *, base_url: str, secrets: Sequence[bytes], clock: Clock) -> None:
        if not secrets or any(len(secret) < 32 for secret in secrets):
            raise ValueError("the secrets that sign links need at least 32 bytes each")
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secrets)
        self._clock = clock

    def sign(self, key: str, *, expires_in: timedelta, download_name: str | None) -> str:
        if not timedelta() < expires_in <= MAX_LIFE:
            raise ValueError(f"a link lives longer than nothing and at most {MAX_LIFE}")
        expires = int((self._clock.now() + expires_in).timestamp())
        query = {"expires": str(expires)}
        if download_name is not None:
            query["name"] = download_name
        query["signature"] = _signature(self._secrets[0], key, expires, download_name)
        return f"{self._base_url}/{quote(key)}?{urlencode(query)}"

    def verify(self, key: str, *, expires: int, signature: str, download_name: str | None) -> int:
        expected = [_signature(secret, key, expires, download_name) for secret in self._secrets]
        if not any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected):
            raise LinkRefused("This download link was not made here, or it was changed.")
        left_s = expires - int(self._clock.now().timestamp())
        if left_s <= 0:
            raise LinkExpired("This download link has expired: ask for a new one.")
        return left_s


def _signature(secret: bytes, key: str, expires: int, download_name: str | None) -> str:
    name = "" if download_name is None else f"={download_name}"
    signed = "\n".join(("likeness-link-1", key, str(expires), name)).encode()
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()
