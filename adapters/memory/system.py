"""A clock that stands still until told otherwise, and ids that count."""

from datetime import UTC, datetime, timedelta
from uuid import UUID


class ManualClock:
    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> timedelta:
        self._now += by
        return by


class CountingIds:
    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        self._last += 1
        return UUID(int=self._last)
