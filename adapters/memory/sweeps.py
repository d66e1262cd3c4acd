"""How far each sweep has come, in a dict."""

from datetime import datetime


class MemorySweepCursors:
    """See `application.ports.sweeps.SweepCursors`."""

    def __init__(self) -> None:
        self._reached: dict[str, datetime] = {}

    async def reached(self, sweep: str) -> datetime | None:
        return self._reached.get(sweep)

    async def reach(self, sweep: str, at: datetime) -> None:
        self._reached[sweep] = at
