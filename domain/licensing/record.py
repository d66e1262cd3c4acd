"""A decision as it was taken, kept with all that went into it, so that it can be replayed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.licensing.decision import Decision
from domain.licensing.use import Use


@dataclass(eq=False, kw_only=True)
class DecisionRecord:
    """`subject_id` is what came of it, if anything did: a generation, a model."""

    id: UUID
    creator_id: UUID
    actor_id: UUID
    subject_id: UUID | None
    use: Use
    decision: Decision
    terms_id: UUID
    terms_version: int
    terms_hash: str
    decided_at: datetime
