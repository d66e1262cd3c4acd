"""The write side of a context: aggregates in and out, by identity."""

from typing import Protocol, TypeVar
from uuid import UUID

from domain.shared.errors import Conflict

A = TypeVar("A")


class StaleVersion(Conflict):
    """Somebody else changed the object meanwhile."""

    code = "stale_version"


class AlreadyExists(Conflict):
    """A key that is given once is given already."""

    code = "already_exists"


class Repository(Protocol[A]):
    """Aggregates of one kind. What was got or added is saved by the unit of work's commit."""

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> A:
        """Load one; `lock` holds the row until the transaction ends. Raises NotFound."""
        ...

    def add(self, aggregate: A) -> None: ...
