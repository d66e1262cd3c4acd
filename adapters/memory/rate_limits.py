"""Rate limits of one process, exact: the instants of the permits taken are kept."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from math import ceil

from application.ports.clock import Clock
from application.ports.rate_limits import Allowance, RateLimit


class MemoryRateLimits:
    """See `application.ports.rate_limits.RateLimits`."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._taken: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    async def take(self, limit: RateLimit, subject: str) -> Allowance:
        now = self._clock.now()
        window = timedelta(seconds=limit.window_s)
        taken = self._taken[limit.name, subject]
        while taken and taken[0] <= now - window:
            taken.popleft()
        allowed = len(taken) < limit.permits
        if allowed:
            taken.append(now)
        free_again = taken[0] + window - now if taken else window
        return Allowance(
            allowed, limit.permits - len(taken), max(1, ceil(free_again.total_seconds()))
        )
