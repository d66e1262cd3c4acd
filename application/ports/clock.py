"""The time, from one place, so that tests and the demo can let days pass."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class ClockControl(Clock, Protocol):
    """A clock that development may set forward, for every process of its stack."""

    def advance(self, by: timedelta) -> timedelta:
        """Answers how far the clock is ahead now. ValueError when `by` is negative."""
        ...
