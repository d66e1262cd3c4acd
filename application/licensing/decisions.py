"""Keep decisions where money or publication rests on them, and show creators theirs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.ports.decisions import DecisionViews
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.decision import Decision, Duty, Outcome, Reason
from domain.licensing.record import DecisionPoint, DecisionRecord
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Use
from domain.licensing.version import TermsVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision about to be kept; `subject_id` as `DecisionRecord` has it."""

    point: DecisionPoint
    subject_id: UUID | None
    terms: TermsVersion
    use: Use
    decision: Decision
    sublicence: LicenceTerms | None = None
    parties: tuple[Party, ...] = ()


class DecisionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`use` has everything that the decision was taken on, as far as it was known."""

    id: UUID
    point: DecisionPoint
    subject_id: UUID | None
    actor_id: UUID
    outcome: Outcome
    reasons: Sequence[Reason]
    duties: Sequence[Duty]
    use: Use
    terms_version: int
    terms_hash: str
    decided_at: datetime


def record_decisions(
    decided: Iterable[Decided], *, actor: Actor, uow: UnitOfWork, ids: Ids, at: datetime
) -> None:
    """Keep decisions with what they rest on: all of them in one statement, at the commit."""
    for each in decided:
        uow.decisions.add(
            DecisionRecord(
                id=ids.new(),
                creator_id=each.terms.creator_id,
                actor_id=actor.user_id,
                subject_id=each.subject_id,
                point=each.point,
                use=each.use,
                decision=each.decision,
                terms_id=each.terms.id,
                terms_version=each.terms.version,
                terms_hash=each.terms.hash,
                sublicence=each.sublicence,
                parties=each.parties,
                decided_at=at,
            )
        )


async def list_decisions(
    creator_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: DecisionViews,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[DecisionDetails]:
    """What was asked of the creator's licence, newest first. Raises NotFound for anybody else."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
    rows = await views.of_creator(creator_id, before=before, limit=limit)
    return [_details_of(row) for row in rows]


def _details_of(row: DecisionRecord) -> DecisionDetails:
    return DecisionDetails(
        id=row.id,
        point=row.point,
        subject_id=row.subject_id,
        actor_id=row.actor_id,
        outcome=row.decision.outcome,
        reasons=row.decision.reasons,
        duties=row.decision.duties,
        use=row.use,
        terms_version=row.terms_version,
        terms_hash=row.terms_hash,
        decided_at=row.decided_at,
    )
