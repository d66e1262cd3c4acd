"""A proof of the books that somebody asked for: worked by a worker, kept with what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(eq=False, kw_only=True)
class Proof:
    """Without a `report` it is still under way."""

    id: UUID
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None = None
    report: Mapping[str, object] | None = None

    def finish(self, report: Mapping[str, object], *, at: datetime) -> None:
        if self.report is None:
            self.report, self.finished_at = report, at
