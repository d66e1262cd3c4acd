"""Access tokens as JWTs (RFC 7519), signed with HMAC-SHA-256.

Signing keys are derived from the secret keys of the settings by HKDF, so that no two uses of one
secret share a key. To rotate, put a new secret first and keep the old one second until the last
token it signed has expired; `kid` says which key signed.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.ports.tokens import AccessTokenExpired, AccessTokenInvalid
from domain.identity.actor import Actor, Role

LIFETIME = timedelta(minutes=15)
CACHED_TOKENS = 4096
"""Checking a signature costs more than most reads; a client sends one token many times."""

_ALGORITHM = "HS256"
_TYPE = "access"
_REQUIRED = ["sub", "roles", "type", "iat", "exp", "iss", "aud"]


class JwtAccessTokens:
    """See `application.ports.tokens.AccessTokens`. The first of `secret_keys` signs."""

    def __init__(
        self,
        secret_keys: Sequence[str],
        *,
        issuer: str = "likeness",
        audience: str = "likeness-api",
        lifetime: timedelta = LIFETIME,
    ) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        derived = [_derive(secret) for secret in secret_keys]
        self._keys = {_key_id(key): key for key in derived}
        self._signing_id = _key_id(derived[0])
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._read = lru_cache(CACHED_TOKENS)(self._decode)

    def issue(self, actor: Actor, *, now: datetime) -> tuple[str, int]:
        issued_at = int(now.timestamp())
        lifetime_s = int(self._lifetime.total_seconds())
        claims = {
            "sub": str(actor.user_id),
            "roles": sorted(actor.roles),
            **({"sid": str(actor.session_id)} if actor.session_id else {}),
            "type": _TYPE,
            "iat": issued_at,
            "exp": issued_at + lifetime_s,
            "iss": self._issuer,
            "aud": self._audience,
        }
        token = jwt.encode(
            claims,
            self._keys[self._signing_id],
            algorithm=_ALGORITHM,
            headers={"kid": self._signing_id},
        )
        return token, lifetime_s

    def verify(self, token: str, *, now: datetime) -> Actor:
        actor, expires_at = self._read(token)
        if now >= expires_at:
            raise AccessTokenExpired
        return actor

    def _decode(self, token: str) -> tuple[Actor, datetime]:
        """What a genuine token says, for ever; whether it still counts depends on the time."""
        claims = self._claims(token)
        if claims["type"] != _TYPE:
            raise AccessTokenInvalid
        try:
            actor = Actor(
                user_id=UUID(claims["sub"]),
                roles=frozenset(map(Role, claims["roles"])),
                session_id=UUID(claims["sid"]) if "sid" in claims else None,
            )
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise AccessTokenInvalid from None
        return actor, expires_at

    def _claims(self, token: str) -> dict[str, Any]:
        """Whatever is wrong with a stranger's token, it is the same refusal."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": _REQUIRED,
                    # The time is the caller's, who may have set the clock forward.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            raise AccessTokenInvalid from None


def _derive(secret: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"likeness access tokens v1").derive(secret.encode())


def _key_id(key: bytes) -> str:
    """Recognises the key and tells nothing of it."""
    return hashlib.sha256(b"key id" + key).hexdigest()[:12]
