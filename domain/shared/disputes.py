"""A payment that the buyer's bank takes back, and decides later whose it is.

The provider tells of a dispute by snapshots that arrive twice, late, in any order, or not at all.
Each is merged into what is known, which only moves forward; what newly follows from it is a list
of steps, each booked once. An inquiry moves no money.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.errors import Conflict
from domain.shared.money import Currency


class DisputeStatus(StrEnum):
    """`inquiry`: the bank asks, and has taken nothing. `inquiry_closed`: nothing came of it."""

    INQUIRY = "inquiry"
    INQUIRY_CLOSED = "inquiry_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


_RANK = {
    DisputeStatus.INQUIRY: 0,
    DisputeStatus.INQUIRY_CLOSED: 1,
    DisputeStatus.NEEDS_RESPONSE: 2,
    DisputeStatus.UNDER_REVIEW: 3,
    DisputeStatus.WON: 4,
    DisputeStatus.LOST: 4,
}


class DisputeContradiction(Conflict):
    """What the provider says now cannot follow what it said before: a person must look."""

    code = "dispute_contradiction"


class DisputeReport(NamedTuple):
    """One snapshot by the provider. Money is cumulative: what the bank withdrew and gave back in
    all, and the provider's fees for it."""

    status: DisputeStatus
    withdrawn_cents: int
    fee_cents: int
    reinstated_cents: int
    returned_fee_cents: int
    due_by: datetime | None


class StepKind(StrEnum):
    OPENED = "opened"
    WON = "won"
    LOST = "lost"


class Step(NamedTuple):
    """Something to book. `fee_cents` is kept by the provider (opened) or returned (won)."""

    kind: StepKind
    amount_cents: int
    fee_cents: int = 0


class TimelineEntry(NamedTuple):
    at: datetime
    what: str
    amount_cents: int | None = None


@dataclass(eq=False, kw_only=True)
class ContestedPayment:
    """What is known of a dispute of a charge."""

    id: UUID
    provider_id: str
    charge_id: str
    amount_cents: int
    currency: Currency
    reason: str
    status: DisputeStatus
    is_open: bool = True
    withdrawn_cents: int = 0
    fee_cents: int = 0
    reinstated_cents: int = 0
    returned_fee_cents: int = 0
    lost_cents: int = 0
    due_by: datetime | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    created_at: datetime
    closed_at: datetime | None = None

    @property
    def contested_cents(self) -> int:
        """What the bank holds: withdrawn, and neither given back nor lost."""
        return self.withdrawn_cents - self.reinstated_cents - self.lost_cents

    def hear(self, report: DisputeReport, *, at: datetime) -> tuple[Step, ...]:
        """Merge a snapshot; answers what is to be booked now. Raises DisputeContradiction."""
        self._require_possible(report)
        if _RANK[report.status] > _RANK[self.status]:
            self.status = report.status
            self.note(at, str(report.status))
        if report.due_by is not None:
            self.due_by = report.due_by
        steps = tuple(self._steps(report))
        for step in steps:
            self.note(at, f"funds_{step.kind}", step.amount_cents)
        was_open, self.is_open = self.is_open, self._still_open()
        if was_open and not self.is_open:
            self.closed_at = at
        return steps

    def _require_possible(self, report: DisputeReport) -> None:
        ended = {DisputeStatus.WON, DisputeStatus.LOST}
        fits = (
            {self.status, report.status} != ended
            and self.withdrawn_cents in (0, report.withdrawn_cents or self.withdrawn_cents)
            and self.reinstated_cents in (0, report.reinstated_cents or self.reinstated_cents)
            and 0 <= report.reinstated_cents <= max(report.withdrawn_cents, self.withdrawn_cents)
            and not (report.reinstated_cents > self.reinstated_cents and self.lost_cents)
        )
        if not fits:
            raise DisputeContradiction(
                "The provider contradicts what it said of the dispute.",
                provider_id=self.provider_id,
                status=str(self.status),
                said=str(report.status),
            )

    def _steps(self, report: DisputeReport) -> Iterable[Step]:
        if report.withdrawn_cents > self.withdrawn_cents:
            self.withdrawn_cents, self.fee_cents = report.withdrawn_cents, report.fee_cents
            yield Step(StepKind.OPENED, report.withdrawn_cents, report.fee_cents)
        if report.reinstated_cents > self.reinstated_cents:
            self.reinstated_cents = report.reinstated_cents
            self.returned_fee_cents = min(report.returned_fee_cents, self.fee_cents)
            yield Step(StepKind.WON, report.reinstated_cents, self.returned_fee_cents)
        decided = self.status is DisputeStatus.LOST or (
            self.status is DisputeStatus.WON and self.reinstated_cents > 0
        )
        if decided and self.contested_cents:
            lost = self.contested_cents
            self.lost_cents += lost
            yield Step(StepKind.LOST, lost)

    def _still_open(self) -> bool:
        """A lost dispute whose withdrawal has not been heard of is not over: it will be told."""
        match self.status:
            case DisputeStatus.WON:
                return self.contested_cents > 0
            case DisputeStatus.LOST:
                return self.contested_cents > 0 or self.withdrawn_cents == 0
            case DisputeStatus.INQUIRY_CLOSED:
                return self.contested_cents > 0
            case _:
                return True

    def note(self, at: datetime, what: str, amount_cents: int | None = None) -> None:
        self.timeline = (*self.timeline, TimelineEntry(at, what, amount_cents))
