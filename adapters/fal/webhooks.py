"""Proof that a callback is from fal, about a job of our account, and fresh.

fal signs with Ed25519 over four lines: request id, user id, unix time, SHA-256 of the raw body.
The signature alone says only that fal sent it, to anyone; so the user id must be ours too.
(fal's documentation of webhooks; keys: https://rest.fal.ai/.well-known/jwks.json)
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta

import httpx
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.fal.engine import NEARLY_DONE
from adapters.fal.outcomes import ended_badly, ended_well
from adapters.fal.transport import PROVIDER, SingleAttempt
from application.ports.clock import Clock
from application.ports.engines import EngineJob, VerifiedCallback
from application.ports.errors import Unavailable
from application.ports.webhooks import SignatureRefused

JWKS_URL = "https://rest.fal.ai/.well-known/jwks.json"
TOLERANCE_S = 300
KEYS_FRESH_FOR = timedelta(hours=24)
KEYS_ASKED_AT_MOST_EVERY = timedelta(minutes=1)
LONGEST_TIMESTAMP = 12


class _Key(msgspec.Struct):
    x: str
    crv: str = "Ed25519"


class _KeySet(msgspec.Struct):
    keys: list[_Key]


class _Notice(msgspec.Struct):
    request_id: str
    status: str
    payload: object = None
    payload_error: str | None = None


class FalWebhooks:
    provider = PROVIDER

    def __init__(
        self,
        *,
        user_id: str,
        clock: Clock,
        jwks_url: str = JWKS_URL,
        timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._user_id = user_id
        self._clock = clock
        self._jwks_url = jwks_url
        self._http = httpx.AsyncClient(
            transport=SingleAttempt(transport or httpx.AsyncHTTPTransport(), timeout_s=timeout_s)
        )
        self._keys: tuple[Ed25519PublicKey, ...] = ()
        self._asked_at = clock.now() - KEYS_FRESH_FOR
        self._asking = asyncio.Lock()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedCallback:
        given = {name.lower(): value for name, value in headers.items()}
        request_id = given.get("x-fal-webhook-request-id", "")
        user_id = given.get("x-fal-webhook-user-id", "")
        timestamp = given.get("x-fal-webhook-timestamp", "")
        if user_id != self._user_id:
            raise SignatureRefused("The callback is not for our fal account.")
        if not self._is_fresh(timestamp):
            raise SignatureRefused("The callback's time is missing or too far from now.")
        try:
            signature = bytes.fromhex(given.get("x-fal-webhook-signature", ""))
        except ValueError as error:
            raise SignatureRefused("The callback's signature is not hexadecimal.") from error
        digest = hashlib.sha256(body).hexdigest()
        message = f"{request_id}\n{user_id}\n{timestamp}\n{digest}".encode()
        if not await self._is_signed(message, signature):
            raise SignatureRefused("The callback's signature does not hold.")
        return _read(request_id, body)

    def _is_fresh(self, timestamp: str) -> bool:
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > LONGEST_TIMESTAMP:
            return False
        return abs(self._clock.now().timestamp() - int(timestamp)) <= TOLERANCE_S

    async def _is_signed(self, message: bytes, signature: bytes) -> bool:
        """Tries every key; if none fits, they may have been changed, and are asked for again."""
        await self._refresh(older_than=KEYS_FRESH_FOR)
        if _fits_any(self._keys, message, signature):
            return True
        before = self._keys
        await self._refresh(older_than=KEYS_ASKED_AT_MOST_EVERY)
        return self._keys is not before and _fits_any(self._keys, message, signature)

    async def _refresh(self, *, older_than: timedelta) -> None:
        async with self._asking:
            if self._clock.now() - self._asked_at < older_than:
                return
            response = await self._http.get(self._jwks_url)
            try:
                found = msgspec.json.decode(response.raise_for_status().content, type=_KeySet)
                keys = tuple(_public_key(key.x) for key in found.keys if key.crv == "Ed25519")
            except (httpx.HTTPStatusError, msgspec.DecodeError, ValueError) as error:
                raise Unavailable("fal's key set cannot be read", provider=PROVIDER) from error
            self._keys, self._asked_at = keys, self._clock.now()


def _fits_any(keys: tuple[Ed25519PublicKey, ...], message: bytes, signature: bytes) -> bool:
    for key in keys:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            continue
        return True
    return False


def _public_key(x: str) -> Ed25519PublicKey:
    """`x` is base64url, with or without padding. Raises ValueError."""
    bare = x.rstrip("=")
    return Ed25519PublicKey.from_public_bytes(
        base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    )


def _read(request_id: str, body: bytes) -> VerifiedCallback:
    """The signed header names the request; a body that names another one is not accepted."""
    try:
        notice = msgspec.json.decode(body, type=_Notice)
    except msgspec.DecodeError as error:
        raise SignatureRefused("The callback's body is not a notice.") from error
    if notice.request_id != request_id:
        raise SignatureRefused("The callback's body is about another request.")
    return VerifiedCallback(
        source=PROVIDER,
        external_id=request_id,
        request_id=request_id,
        attempt_id=None,
        job=_job(notice),
    )


def _job(notice: _Notice) -> EngineJob:
    if notice.status != "OK":
        return ended_badly(notice.request_id, notice.payload)
    if notice.payload is None and notice.payload_error:  # the result did not travel: fetch it
        return EngineJob(request_id=notice.request_id, status="running", progress=NEARLY_DONE)
    return ended_well(notice.request_id, notice.payload)
