"""The write side of a context: aggregates in and out, by identity."""

from typing import Protocol, TypeVar
from uuid import UUID

A = TypeVar("A")


class Repository(Protocol[A]):
    """Aggregates of one kind. What was got or added is saved by the unit of work's commit."""

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> A:
        """Load one; `lock` holds the row until the transaction ends. Raises NotFound."""
        ...

    def add(self, aggregate: A) -> None: ...
