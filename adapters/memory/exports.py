"""Exports in dicts, for the tests of use cases."""

from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository
from domain.reporting.export import Export


class MemoryExports(MemoryRepository[Export]):
    """See `application.ports.exports.Exports`."""

    async def page(self, *, before: UUID | None, limit: int) -> list[Export]:
        found = self._where(lambda one: before is None or one.id < before)
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]

    async def expired(self, *, now: datetime, limit: int) -> list[Export]:
        return list(self._where(lambda one: one.expires_at is not None and one.expires_at <= now))[
            :limit
        ]

    async def remove(self, export: Export) -> None:
        self._delete(export)
