"""The sandbox's own time: the machine's clock plus what the caller has skipped."""

import time


class SandboxClock:
    """Seconds since the epoch. It can only be moved forwards, as time does."""

    def __init__(self) -> None:
        self._skipped_s = 0

    def now(self) -> int:
        return int(time.time()) + self._skipped_s

    def advance(self, seconds: int) -> None:
        if seconds < 0:
            raise ValueError("the clock only moves forwards")
        self._skipped_s += seconds

    def reset(self) -> None:
        self._skipped_s = 0
