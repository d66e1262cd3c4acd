"""Disputes of orders: what is said to the bank, and one word for all disputes of an order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.ordering.order import DisputeState
from domain.shared.disputes import ContestedPayment, DisputeStatus
from domain.shared.errors import Conflict

_ANSWERABLE = (DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE)


class EvidenceState(StrEnum):
    """`intended`: committed, perhaps sent, the outcome not yet known."""

    NONE = "none"
    INTENDED = "intended"
    SUBMITTED = "submitted"
    REFUSED = "refused"


class EvidenceSubmitted(Conflict):
    """Evidence is sent once: the bank reads one answer."""

    code = "evidence_submitted"


class DisputeNotAnswerable(Conflict):
    """The bank does not take evidence any more."""

    code = "dispute_not_answerable"


@dataclass(eq=False, kw_only=True)
class Dispute(ContestedPayment):
    """Of a charge that paid an order. `evidence` is what was said to the bank, by field;
    `evidence_attempt` numbers the tries."""

    order_id: UUID
    evidence: dict[str, str] | None = None
    evidence_state: EvidenceState = EvidenceState.NONE
    evidence_attempt: int = 1
    evidence_by: UUID | None = None
    evidence_error: str | None = None

    @property
    def awaits_answer(self) -> bool:
        return self.status in _ANSWERABLE and self.evidence_state in (
            EvidenceState.NONE,
            EvidenceState.REFUSED,
        )

    def intend_evidence(self, evidence: dict[str, str], *, by: UUID, at: datetime) -> None:
        """Raises EvidenceSubmitted, DisputeNotAnswerable."""
        if self.evidence_state in (EvidenceState.INTENDED, EvidenceState.SUBMITTED):
            raise EvidenceSubmitted("Evidence has been sent already.")
        if self.status not in _ANSWERABLE or (self.due_by is not None and at > self.due_by):
            raise DisputeNotAnswerable("The bank does not take evidence any more.")
        self.evidence, self.evidence_by = evidence, by
        self.evidence_state = EvidenceState.INTENDED
        self.note(at, "evidence_intended")

    def end_evidence(self, *, error: str | None, at: datetime) -> None:
        """The provider took the evidence, or refused it: then it may be sent again, corrected."""
        if self.evidence_state is not EvidenceState.INTENDED:
            return
        self.evidence_error = error
        if error is None:
            self.evidence_state = EvidenceState.SUBMITTED
            self.note(at, "evidence_submitted")
        else:
            self.evidence_state = EvidenceState.REFUSED
            self.evidence_attempt += 1
            self.note(at, "evidence_refused")


def dispute_state_of(disputes: Iterable[Dispute]) -> DisputeState:
    """The order's one word for all its disputes. An inquiry alone is none."""
    found = list(disputes)
    if any(d.is_open and (d.status is not DisputeStatus.INQUIRY) for d in found):
        return DisputeState.OPEN
    if any(d.status is DisputeStatus.LOST or d.lost_cents for d in found):
        return DisputeState.LOST
    if any(d.status is DisputeStatus.WON for d in found):
        return DisputeState.WON
    return DisputeState.NONE
