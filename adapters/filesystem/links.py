"""Links that the application signs and serves itself, with the contract of S3's."""

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
    """Links of the form `{base_url}/{key}?expires=…&name=…&signature=…`, to get what is stored, and
    `{base_url}/{key}?multipart=…&part=…&size=…&expires=…&signature=…`, to put a part of an object.

    The signature is HMAC-SHA256 over all that the link says (the expiry in Unix seconds), and over
    what it is for: no link to read with can be made one to write with. The first of
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
        expires = self._expiry(expires_in)
        query = {"expires": str(expires)}
        if download_name is not None:
            query["name"] = download_name
        return self._link(key, query, _to_get(key, expires, download_name))

    def sign_part(
        self, key: str, multipart_id: str, number: int, *, size_bytes: int, expires_in: timedelta
    ) -> str:
        expires = self._expiry(expires_in)
        query = {
            "multipart": multipart_id,
            "part": str(number),
            "size": str(size_bytes),
            "expires": str(expires),
        }
        return self._link(key, query, _to_put(key, multipart_id, number, size_bytes, expires))

    def verify(self, key: str, *, expires: int, signature: str, download_name: str | None) -> int:
        return self._verified(_to_get(key, expires, download_name), expires, signature)

    def verify_part(
        self,
        key: str,
        multipart_id: str,
        number: int,
        *,
        size_bytes: int,
        expires: int,
        signature: str,
    ) -> None:
        self._verified(_to_put(key, multipart_id, number, size_bytes, expires), expires, signature)

    def _expiry(self, expires_in: timedelta) -> int:
        if not timedelta() < expires_in <= MAX_LIFE:
            raise ValueError(f"a link lives longer than nothing and at most {MAX_LIFE}")
        return int((self._clock.now() + expires_in).timestamp())

    def _link(self, key: str, query: dict[str, str], signed: bytes) -> str:
        query["signature"] = _signature(self._secrets[0], signed)
        return f"{self._base_url}/{quote(key)}?{urlencode(query)}"

    def _verified(self, signed: bytes, expires: int, signature: str) -> int:
        expected = [_signature(secret, signed) for secret in self._secrets]
        if not any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected):
            raise LinkRefused("This link was not made here, or it was changed.")
        left_s = expires - int(self._clock.now().timestamp())
        if left_s <= 0:
            raise LinkExpired("This link has expired: ask for a new one.")
        return left_s


def _to_get(key: str, expires: int, download_name: str | None) -> bytes:
    name = "" if download_name is None else f"={download_name}"
    return "\n".join(("likeness-link-1", key, str(expires), name)).encode()


def _to_put(key: str, multipart_id: str, number: int, size_bytes: int, expires: int) -> bytes:
    parts = ("likeness-part-1", key, multipart_id, str(number), str(size_bytes), str(expires))
    return "\n".join(parts).encode()


def _signature(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()
