"""The computer's clock, and one that development may set forward."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """The computer's clock plus an offset that all processes of a local stack share in a file.

    Development only: the offset only grows, so that time never runs backwards.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = timedelta()
        self._seen_ns = -1

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def advance(self, by: timedelta) -> timedelta:
        """Set the clock forward; answers the whole offset. ValueError when `by` is negative."""
        if by < timedelta():
            raise ValueError("the clock only goes forward")
        offset = self._current_offset() + by
        temporary = self._file.with_suffix(f".{time.monotonic_ns()}")
        temporary.write_text(str(offset.total_seconds()))
        temporary.replace(self._file)
        return offset

    def _current_offset(self) -> timedelta:
        try:
            changed_ns = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta()
        if changed_ns != self._seen_ns:
            self._offset = timedelta(seconds=float(self._file.read_text() or 0))
            self._seen_ns = changed_ns
        return self._offset
