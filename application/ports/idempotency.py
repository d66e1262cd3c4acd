"""Requests that may be sent twice and take effect once: the first answer is kept for the second.

What is kept is the answer, not the effect. Between the commit of a use case and the storing of
its answer a process may die; the claim then expires, and the repeated request runs again. So the
use case's own unique keys stay what makes the effect happen once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.shared.errors import RuleRefused

KEPT_FOR = timedelta(hours=24)
"""How long an answer is kept."""
LEASE = timedelta(seconds=60)
"""How long a claim holds without an answer: then its owner is taken for dead."""


class KeyReused(RuleRefused):
    """The idempotency key was used for another request: make a new one."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request: make a new one.")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who sends what: `owner` is a user or an address, `operation` the method and path."""

    owner: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The request is new, and the caller's to handle."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another process is handling it now."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key was used for a request with another body."""


Claim = Claimed | InProgress | Reused | StoredAnswer


class Idempotency(Protocol):
    async def claim(
        self, key: RequestKey, *, request_hash: bytes, claim_id: UUID, now: datetime
    ) -> Claim:
        """Claim the request, atomically, or say why not. Expired claims and answers are void."""
        ...

    async def store(
        self, key: RequestKey, *, claim_id: UUID, answer: StoredAnswer, now: datetime
    ) -> None:
        """Keep the answer, unless the claim has meanwhile passed to another `claim_id`."""
        ...

    async def release(self, key: RequestKey, *, claim_id: UUID) -> None:
        """Give the claim back: nothing came of it, and the request may be sent again."""
        ...

    async def purge(self, *, now: datetime) -> int:
        """Forget what has expired; answers how many requests that were."""
        ...
