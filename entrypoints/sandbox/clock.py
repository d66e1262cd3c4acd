"""The sandbox's own time: ahead of the machine by what it was told and what was skipped."""

import time


class SandboxClock:
    """Seconds since the epoch. It can only be moved forwards, as time does."""

    def __init__(self, *, offset_s: int = 0) -> None:
        if offset_s < 0:
            raise ValueError("the clock is never behind the machine's")
        self._offset_s = offset_s
        self._skipped_s = 0

    @property
    def ahead_s(self) -> int:
        """Of the machine's clock."""
        return self._offset_s + self._skipped_s

    def now(self) -> int:
        return int(time.time()) + self.ahead_s

    def advance(self, seconds: int) -> None:
        if seconds < 0:
            raise ValueError("the clock only moves forwards")
        self._skipped_s += seconds

    def reset(self) -> None:
        self._skipped_s = 0
