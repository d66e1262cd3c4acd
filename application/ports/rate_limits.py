"""How often somebody may do something, counted for all processes together."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `permits` within any `window_s` seconds, for each subject. `name` names the count."""

    name: str
    permits: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What was decided, and what is left. `reset_s`: after so many seconds a permit is free."""

    allowed: bool
    remaining: int
    reset_s: int


class RateLimits(Protocol):
    """Counts may be lost at any time, and then all is allowed again."""

    async def take(self, limit: RateLimit, subject: str) -> Allowance:
        """Use one permit of `subject`, if there is one. A refused attempt is not counted.

        Raises Unavailable when the counters cannot be reached.
        """
        ...
