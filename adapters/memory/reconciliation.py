"""Reconciliation's runs, differences and copied movements in dicts, for the tests of use cases."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.ledger.reconciliation import (
    Difference,
    DifferenceState,
    Moved,
    ReconciliationRun,
    Subject,
)

RUN_KEYS: UniqueKeys[ReconciliationRun] = {lambda run: run.day: already_exists}
DIFFERENCE_KEYS: UniqueKeys[Difference] = {lambda one: one.subject: already_exists}


class MemoryReconciliationRuns(MemoryRepository[ReconciliationRun]):
    async def of_day(self, day: date, *, lock: bool = False) -> ReconciliationRun | None:
        return next(self._where(lambda run: run.day == day), None)

    async def latest(self) -> ReconciliationRun | None:
        return max(self._where(lambda run: True), key=lambda run: run.day, default=None)


class MemoryDifferences(MemoryRepository[Difference]):
    async def about(self, subjects: Collection[Subject]) -> list[Difference]:
        return list(self._where(lambda one: one.subject in subjects))

    async def unresolved(self, *, after: UUID | None, limit: int) -> list[Difference]:
        found = self._where(
            lambda one: (
                one.state is not DifferenceState.RESOLVED and (after is None or one.id > after)
            )
        )
        return sorted(found, key=lambda one: one.id)[:limit]


class MemoryProviderMovements:
    """See `application.ports.reconciliation.ProviderMovements`."""

    def __init__(self, committed: dict[tuple[str, str], Moved]) -> None:
        self._committed = committed
        self._kept: list[Moved] = []

    async def keep(self, moved: Sequence[Moved]) -> None:
        self._kept.extend(moved)

    def flush(self) -> None:
        for one in self._kept:
            self._committed.setdefault((one.id, one.movement), one)
        self._kept.clear()
