"""A decision as it was taken, kept with all that went into it, so that it can be replayed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.decision import Decision
from domain.licensing.shared import Party, evaluate_shared
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Use


class DecisionPoint(StrEnum):
    """Where money or publication rested on it. Settlement asks no licence again: it posts what
    checkout froze under the decision that is kept here."""

    TRAINING = "training"
    GENERATION = "generation"
    LISTING = "listing"
    PRICE_CHANGE = "price_change"
    DISCOUNT = "discount"
    CHECKOUT = "checkout"


@dataclass(eq=False, kw_only=True)
class DecisionRecord:
    """`subject_id` is what it was about: a product, an order line; or what came of it, if
    anything did: a generation, a model. `sublicence` are the terms that had to allow it too: of a
    sublicence, and what the `parties` whom the likeness shows have in common."""

    id: UUID
    creator_id: UUID
    actor_id: UUID
    subject_id: UUID | None
    point: DecisionPoint
    use: Use
    decision: Decision
    terms_id: UUID
    terms_version: int
    terms_hash: str
    sublicence: LicenceTerms | None = None
    parties: tuple[Party, ...] = ()
    decided_at: datetime


def faults_of(
    record: DecisionRecord, terms: LicenceTerms, *, frozen: Decision | None
) -> Iterator[str]:
    """What a replay finds wrong: terms that are not those of then, another decision today, or
    another one frozen with what was sold. `frozen` is None where nothing froze it."""
    if terms.hash != record.terms_hash:
        yield "terms_altered"
    again = evaluate_shared(terms, record.sublicence, record.parties, record.use)
    if again != record.decision:
        yield "decided_otherwise"
    if frozen is not None and frozen != record.decision:
        yield "frozen_otherwise"
