"""Whether an engine is worth asking: after several failures in a row it is left alone for a while.

closed → open after `FAILURES_TO_OPEN` failures within `WINDOW` → after `COOLING` one attempt may
probe it → closed again by its success, or open again by its failure. A probe that nobody hears of
gives way to the next after `PROBE_LIFE`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

FAILURES_TO_OPEN = 5
WINDOW = timedelta(minutes=2)
COOLING = timedelta(seconds=30)
PROBE_LIFE = timedelta(minutes=5)


@dataclass(eq=False, kw_only=True)
class Circuit:
    """One engine's. `failures` are those since `counted_since`, with no success between."""

    id: UUID
    provider: str
    model: str
    failures: int = 0
    counted_since: datetime | None = None
    open_until: datetime | None = None
    probed_at: datetime | None = None

    @property
    def is_clean(self) -> bool:
        return self.failures == 0 and self.open_until is None

    def allows(self, *, at: datetime) -> bool:
        """Whether an attempt may be planned now."""
        if self.open_until is None:
            return True
        if at < self.open_until:
            return False
        return self.probed_at is None or at >= self.probed_at + PROBE_LIFE

    def plan(self, *, at: datetime) -> None:
        """An attempt is planned; where the circuit is open, it is the probe."""
        if self.open_until is not None:
            self.probed_at = at

    def succeed(self) -> None:
        self.failures, self.counted_since = 0, None
        self.open_until = self.probed_at = None

    def fail(self, *, at: datetime) -> None:
        if self.open_until is not None:
            if self.probed_at is not None:
                self.open_until, self.probed_at = at + COOLING, None
            return
        if self.counted_since is None or at - self.counted_since > WINDOW:
            self.failures, self.counted_since = 0, at
        self.failures += 1
        if self.failures >= FAILURES_TO_OPEN:
            self.open_until = at + COOLING
