"""How far a sweep has come, kept where a moved clock or a long stop cannot lose it."""

from datetime import datetime
from typing import Protocol


class SweepCursors(Protocol):
    async def reached(self, sweep: str) -> datetime | None:
        """Until when a sweep has seen everything; None before its first."""
        ...

    async def reach(self, sweep: str, at: datetime) -> None: ...
