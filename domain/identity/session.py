"""A session: one device signed in, kept alive by refresh tokens that each work once.

Every refresh spends a token and issues the next of the same family. A spent token that comes back
means that two parties hold the family, and nobody can tell which is the thief: the session ends
for both (RFC 9700, section 4.14.2). There is no grace for a client that refreshes twice at once
or lost the answer: it signs in again. A client therefore refreshes one at a time and stores the
new token before it uses it.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.shared.errors import Unauthenticated

REFRESH_LIFETIME = timedelta(days=30)
MAX_USER_AGENT_LENGTH = 200
MAX_ADDRESS_LENGTH = 45
"""An IPv6 address in its longest spelling."""


class EndReason(StrEnum):
    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a reason, not a password


class RefreshTokenInvalid(Unauthenticated):
    """Unknown, expired, or of a session that has ended."""

    code = "refresh_token_invalid"

    def __init__(self) -> None:
        super().__init__("The refresh token is not valid: sign in again.")


class RefreshTokenReused(Unauthenticated):
    """It was used before, so the session has ended for whoever holds its tokens."""

    code = "refresh_token_reused"

    def __init__(self) -> None:
        super().__init__("The refresh token was used before; the session has ended: sign in again.")


def digest(token: str) -> bytes:
    """What is stored of a token. It has 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as a user can recognise it."""

    user_agent: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, *, user_agent: str | None, address: str | None) -> Self:
        """Both are what a stranger sent: printable and cut to size."""
        return cls(
            user_agent=_clean(user_agent, MAX_USER_AGENT_LENGTH),
            address=_clean(address, MAX_ADDRESS_LENGTH),
        )


def _clean(text: str | None, max_length: int) -> str | None:
    return "".join(filter(str.isprintable, text or ""))[:max_length] or None


@dataclass(eq=False, kw_only=True)
class RefreshToken:
    id: UUID
    session_id: UUID
    token_hash: bytes = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(eq=False, kw_only=True)
class Session:
    """`last_seen_at` is the latest sign-in or refresh, at most an access token's life ago."""

    id: UUID
    user_id: UUID
    user_agent: str | None = field(repr=False)
    address: str | None = field(repr=False)
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    @classmethod
    def start(cls, *, session_id: UUID, user_id: UUID, origin: Origin, now: datetime) -> Self:
        return cls(
            id=session_id,
            user_id=user_id,
            user_agent=origin.user_agent,
            address=origin.address,
            started_at=now,
            last_seen_at=now,
            expires_at=now + REFRESH_LIFETIME,
        )

    def issue(self, token: str, *, token_id: UUID, now: datetime) -> RefreshToken:
        """The next token of the family; the session lives as long as it."""
        self.expires_at = now + REFRESH_LIFETIME
        return RefreshToken(
            id=token_id,
            session_id=self.id,
            token_hash=digest(token),
            issued_at=now,
            expires_at=self.expires_at,
        )

    def spend(self, token: RefreshToken, *, origin: Origin, now: datetime) -> None:
        """Use up `token`, one of this family, before the next is issued.

        Raises RefreshTokenInvalid; or RefreshTokenReused after ending the session, which the
        caller must still commit.
        """
        if self.ended_at is not None or now >= token.expires_at:
            raise RefreshTokenInvalid
        if token.spent_at is not None:
            self.end(EndReason.TOKEN_REUSED, now=now)
            raise RefreshTokenReused
        token.spent_at = now
        self.last_seen_at = now
        self.user_agent = origin.user_agent
        self.address = origin.address

    def end(self, reason: EndReason, *, now: datetime) -> None:
        """No further refresh. Ending twice keeps the first reason."""
        if self.ended_at is None:
            self.ended_at = now
            self.end_reason = reason
