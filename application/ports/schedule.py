"""What the scheduler asks of the outside: that only one of them leads, and a note of each run."""

from datetime import datetime
from typing import Protocol

import msgspec


class Leadership(Protocol):
    """At most one holder at a time among all processes of the installation."""

    async def try_take(self) -> bool:
        """Whether this process leads from now on (or did already)."""
        ...

    async def still_held(self) -> bool:
        """False once the place is lost: stop what only the leader may do."""
        ...

    async def give_up(self) -> None:
        """Let another process lead. Never raises."""
        ...


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """The latest run of a job; `finished_at` is None while it runs, or when it was killed."""

    name: str
    started_at: datetime
    finished_at: datetime | None
    error: str | None


class JobRuns(Protocol):
    async def started(self, name: str, *, now: datetime) -> None: ...

    async def finished(self, name: str, *, now: datetime, error: str | None) -> None: ...

    async def all(self) -> list[JobRun]: ...
