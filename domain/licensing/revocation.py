"""A revocation: the creator ends the licence that they gave, as its terms allow.

At will needs terms that allow it; a breach needs terms that allow it for cause. Safety and law
need nobody's leave and no notice, and they alone reach what buyers have already. A licence that
is published afterwards is a new one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.licensing import conditions
from domain.licensing.terms import LicenceTerms
from domain.shared.errors import Conflict, RuleRefused


class RevocationCause(StrEnum):
    AT_WILL = "at_will"
    BREACH = "breach"
    SAFETY = "safety"
    LAW = "law"

    @property
    def reaches_buyers(self) -> bool:
        """Sold copies are taken down and refunded."""
        return self in (RevocationCause.SAFETY, RevocationCause.LAW)


class RevocationStep(StrEnum):
    """What is carried out, in this order."""

    LISTINGS = "listings"
    CHECKOUTS = "checkouts"
    COPIES = "copies"
    WEIGHTS = "weights"
    DONE = "done"


_STEPS = tuple(RevocationStep)


class NotRevocable(RuleRefused):
    """The terms do not allow to revoke the licence for this cause."""

    code = "not_revocable"


class AlreadyRevoked(Conflict):
    """The licence in force is revoked already."""

    code = "already_revoked"


@dataclass(eq=False, kw_only=True)
class LicenceRevocation:
    """Ends the version `terms_version` of the terms, and every one before it, at `effective_at`.

    `step` is what is next; the figures count what has been done. `cursor` is the last order that
    the present step has dealt with.
    """

    id: UUID
    creator_id: UUID
    terms_id: UUID
    terms_version: int
    cause: RevocationCause
    reason: str = ""
    declared_at: datetime
    declared_by: UUID
    effective_at: datetime
    step: RevocationStep = RevocationStep.LISTINGS
    cursor: UUID | None = None
    listings_frozen: int = 0
    checkouts_closed: int = 0
    copies_withdrawn: int = 0
    refunds_asked: int = 0
    weights_erased: int = 0
    done_at: datetime | None = None
    version: int = 1

    def next_step(self, *, at: datetime) -> None:
        """Go on to the step that follows; copies are left alone unless the cause reaches them."""
        step = _STEPS[_STEPS.index(self.step) + 1]
        if step is RevocationStep.COPIES and not self.cause.reaches_buyers:
            step = RevocationStep.WEIGHTS
        self.step, self.cursor = step, None
        if step is RevocationStep.DONE:
            self.done_at = at


def effective_from(terms: LicenceTerms, cause: RevocationCause, *, at: datetime) -> datetime:
    """When a revocation that is declared now takes effect. Raises NotRevocable."""
    if cause.reaches_buyers:
        return at
    allowed = {
        conditions.Revocation.NONE: frozenset[RevocationCause](),
        conditions.Revocation.FOR_CAUSE: frozenset({RevocationCause.BREACH}),
        conditions.Revocation.AT_WILL: frozenset({RevocationCause.BREACH, RevocationCause.AT_WILL}),
    }[terms.revocation]
    if cause not in allowed:
        raise NotRevocable(
            "The terms do not allow to revoke the licence for this cause.",
            revocation=terms.revocation.value,
            cause=cause.value,
        )
    return at + timedelta(days=terms.revocation_notice_days)
