"""The creator's own word on a use that the terms leave to them. No answer in time is a no."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.decision import Decision
from domain.licensing.use import Use
from domain.shared.errors import Conflict, RuleRefused

_GENERATION = "generation:"


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ApprovalNeeded(RuleRefused):
    """The creator has been asked (`approval_id`) and has until `deadline`; then do it again."""

    code = "approval_needed"


class ApprovalAnswered(Conflict):
    """The creator has answered, or the deadline has passed."""

    code = "approval_answered"


@dataclass(eq=False, kw_only=True)
class ApprovalRequest:
    """One question to a creator. `subject` is what the answer is good for: see `subject_of_…`.

    Use and decision are those that the question was asked about, frozen. `used_for` is the
    generation that an approval good for one generation was spent on.
    """

    id: UUID
    creator_id: UUID
    requester_id: UUID
    subject: str
    store_id: UUID | None = None
    product_id: UUID | None = None
    once: bool = False
    used_for: UUID | None = None
    use: Use
    decision: Decision
    terms_id: UUID
    terms_version: int
    state: ApprovalState = ApprovalState.PENDING
    reason: str = ""
    created_at: datetime
    deadline: datetime
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    version: int = 1

    def state_at(self, at: datetime) -> ApprovalState:
        """Judged by the clock, whether or not the sweep has been here."""
        if self.state is ApprovalState.PENDING and at >= self.deadline:
            return ApprovalState.EXPIRED
        return self.state

    def word(self, *, terms_version: int, spent_on: UUID | None = None) -> bool | None:
        """The creator's word on a use: None where it is open, or must be asked for (again).

        A yes that is good for one generation is good for that one only; a no stands until the
        terms change. Who was not answered in time has no yes, and may ask again.
        """
        match self.state:
            case ApprovalState.APPROVED:
                return True if self.used_for in (None, spent_on) else None
            case ApprovalState.REJECTED:
                return False if self.terms_version >= terms_version else None
            case ApprovalState.PENDING | ApprovalState.EXPIRED:
                return None

    def spend(self, generation_id: UUID) -> UUID:
        """A yes for one generation is used up by the first; answers by which."""
        self.used_for = self.used_for or generation_id
        return self.used_for

    def answer(self, *, approved: bool, reason: str, by: UUID, at: datetime) -> None:
        """Raises ApprovalAnswered."""
        state = self.state_at(at)
        if state is not ApprovalState.PENDING:
            raise ApprovalAnswered("This has been answered, or it is too late.", state=state.value)
        self.state = ApprovalState.APPROVED if approved else ApprovalState.REJECTED
        self.reason, self.answered_by, self.answered_at = reason, by, at


def subject_of_first_use(user_or_store: UUID) -> str:
    """The first use of a store, or of a person who generates; it is good for all that follow."""
    return f"first_use:{user_or_store}"


def subject_of_product(product_id: UUID, product_type: str, *texts: str) -> str:
    """One product as it was shown: other words are another question."""
    return f"product:{product_id}:{_digest(product_type, *texts)}"


def subject_of_generation(requester_id: UUID, *wish: str) -> str:
    """One person's wish, word for word."""
    return f"{_GENERATION}{requester_id}:{_digest(*wish)}"


def shared_subject(subject: str, lead_id: UUID) -> str:
    """What a party is asked: to be shown together with `lead_id` is a question of its own."""
    return f"{subject}:with:{lead_id}"


def is_good_once(subject: str) -> bool:
    """A yes to a generation is for that one; all other answers are good for what follows."""
    return subject.startswith(_GENERATION)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
