"""The licence of a likeness that shows several creators.

What may be done at all is what all of their terms allow together (`joint`). What only one of them
can say or count is asked of each by their own terms: their word, and what is left of their quotas.
The use goes on when everybody has said yes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from domain.licensing.conditions import NO_QUOTAS, Approval, Derivatives
from domain.licensing.decision import Decision, Reason
from domain.licensing.evaluate import evaluate_own, evaluate_under, strictest
from domain.licensing.rules.standing import asks_approval
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import NOT_COUNTED, Usage, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Another creator whom the likeness shows, and how the use stands with them.

    `by_creator`, `approved` and `usage` are as those of `Use`, on their side.
    """

    creator_id: UUID
    terms: LicenceTerms
    by_creator: bool = False
    approved: bool | None = None
    usage: Usage = NOT_COUNTED


def common_part(terms: LicenceTerms) -> LicenceTerms:
    """The terms without what their creator alone can say or count: that which `joint` joins."""
    left = terms.derivatives
    return replace(
        terms,
        approval=Approval.NONE,
        quotas=NO_QUOTAS,
        derivatives=Derivatives.ALLOWED if left is Derivatives.APPROVAL else left,
    )


def evaluate_shared(
    terms: LicenceTerms, beside: LicenceTerms | None, parties: Iterable[Party], use: Use
) -> Decision:
    """Judge a use by the creator's terms, by what else must allow it in common, and by each
    party's own. The parties' order does not matter; their reasons say whose they are."""
    own = (
        _named(evaluate_own(party.terms, _use_of(party, use)), party)
        for party in sorted(parties, key=lambda party: party.creator_id)
    )
    return strictest((evaluate_under(terms, beside, use), *own))


def waiting_for(
    creator_id: UUID, terms: LicenceTerms, parties: Iterable[Party], use: Use
) -> frozenset[UUID]:
    """The creators whose word the use still needs; `creator_id` is whose `terms` these are."""
    waiting = {
        party.creator_id
        for party in parties
        if party.approved is None and asks_approval(party.terms, _use_of(party, use))
    }
    if use.approved is None and asks_approval(terms, use):
        waiting.add(creator_id)
    return frozenset(waiting)


def _use_of(party: Party, use: Use) -> Use:
    return replace(
        use,
        seller=None,
        by_creator=party.by_creator,
        approved=party.approved,
        usage=party.usage,
    )


def _named(decision: Decision, party: Party) -> Decision:
    def named(reason: Reason) -> Reason:
        return replace(reason, field=f"parties.{party.creator_id}.{reason.field}")

    return replace(decision, reasons=tuple(named(reason) for reason in decision.reasons))
