"""What the identity use cases need from outside."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.identity.actor import Role
from domain.identity.session import RefreshToken, Session
from domain.identity.user import User
from domain.shared.errors import Conflict, TooManyRequests


class EmailTaken(Conflict):
    """Another account has this address. The commit says so, from a constraint."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("An account with this email address exists already.")


class HashingBusy(TooManyRequests):
    """Too many passwords wait to be checked."""

    code = "sign_in_busy"

    def __init__(self) -> None:
        super().__init__("Too many people are signing in: try again shortly.", retry_after_s=2)


class Users(Repository[User], Protocol):
    async def by_email(self, email: str) -> User | None:
        """The user with this normalised address."""
        ...


class Sessions(Repository[Session], Protocol):
    def add_token(self, token: RefreshToken) -> None: ...

    async def by_refresh_token(self, token_hash: bytes) -> tuple[Session, RefreshToken] | None:
        """The token and its session, both locked: whoever presents it twice comes second."""
        ...


class SessionPurge(Protocol):
    async def purge(self, *, now: datetime, limit: int) -> int:
        """Delete up to `limit` tokens and up to `limit` sessions that no token can bring back;
        answers how many rows went.

        A token stays until its own `expires_at`, spent or not: a spent one that comes back gives
        a thief away. A session stays while it has tokens.
        """
        ...


class PasswordHasher(Protocol):
    """Slow on purpose, and never on the event loop. Every method may raise HashingBusy."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Does it match? Without a hash: no, after the same work as with one."""
        ...

    def needs_rehash(self, password_hash: str) -> bool:
        """Was it made with other parameters than today's?"""
        ...


class UserSummary(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    display_name: str
    roles: list[Role]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user, what they have set up, and whom they act for.

    `store_ids` are the stores that they own, that a team of theirs has, or that they work for.
    """

    user: UserSummary
    creator_id: UUID | None
    store_ids: list[UUID]
    team_ids: list[UUID]


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in device; `current` is the one that asks."""

    id: UUID
    user_agent: str | None
    address: str | None
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


class IdentityViews(Protocol):
    async def me(self, user_id: UUID) -> Me:
        """Raises NotFound."""
        ...

    async def sessions(
        self, user_id: UUID, *, current: UUID | None, now: datetime
    ) -> list[SessionSummary]:
        """Sessions that can still be refreshed, the latest seen first."""
        ...
