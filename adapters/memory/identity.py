"""Users and sessions in dicts, and quick stand-ins for the slow or secret parts of signing in."""

import hashlib
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

from adapters.memory.repository import MemoryRepository, Table
from application.ports.identity import EmailTaken
from application.ports.tokens import AccessTokenExpired, AccessTokenInvalid
from domain.identity.actor import Actor
from domain.identity.session import RefreshToken, Session
from domain.identity.user import User


def email_of(user: User) -> str:
    return user.email


ONE_USER_PER_EMAIL: dict[Callable[[User], Hashable], Callable[[], Exception]] = {
    email_of: EmailTaken
}


class MemoryUsers(MemoryRepository[User]):
    async def by_email(self, email: str) -> User | None:
        return next(self._where(lambda user: user.email == email), None)


class MemorySessions(MemoryRepository[Session]):
    def __init__(self, table: Table[Session], *, tokens: MemoryRepository[RefreshToken]) -> None:
        super().__init__(table)
        self._tokens = tokens

    def add_token(self, token: RefreshToken) -> None:
        self._tokens.add(token)

    async def by_refresh_token(self, token_hash: bytes) -> tuple[Session, RefreshToken] | None:
        token = next(self._tokens._where(lambda t: t.token_hash == token_hash), None)
        return None if token is None else (await self.get(token.session_id), token)


class QuickPasswordHasher:
    """Hashes at once. `generation` stands for the parameters: raise it to make hashes outdated."""

    def __init__(self, *, generation: int = 1) -> None:
        self.generation = generation

    async def hash(self, password: str) -> str:
        return _quick_hash(password, self.generation)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        if password_hash is None:
            return False
        generation, _, _ = password_hash.partition("$")
        return password_hash == _quick_hash(password, int(generation))

    def needs_rehash(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self.generation}$")


def _quick_hash(password: str, generation: int) -> str:
    return f"{generation}${hashlib.sha256(password.encode()).hexdigest()}"


class MemoryAccessTokens:
    """Remembers what it issued; `access-1`, `access-2`, …"""

    def __init__(self, *, lifetime: timedelta = timedelta(minutes=15)) -> None:
        self._lifetime = lifetime
        self._issued: dict[str, tuple[Actor, datetime]] = {}

    def issue(self, actor: Actor, *, now: datetime) -> tuple[str, int]:
        token = f"access-{len(self._issued) + 1}"
        self._issued[token] = (actor, now + self._lifetime)
        return token, int(self._lifetime.total_seconds())

    def verify(self, token: str, *, now: datetime) -> Actor:
        if token not in self._issued:
            raise AccessTokenInvalid
        actor, expires_at = self._issued[token]
        if now >= expires_at:
            raise AccessTokenExpired
        return actor


class CountingSecrets:
    """Tokens that a test can name: `secret-1`, `secret-2`, …"""

    def __init__(self) -> None:
        self._last = 0

    def token(self) -> str:
        self._last += 1
        return f"secret-{self._last}"
