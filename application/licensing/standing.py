"""What may be done with a creator's likeness right now: consent and the terms in force."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.creators.creator import Creator
from domain.licensing.consent import Consent, ConsentUse, require_consent
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate_under
from domain.licensing.joint import joint
from domain.licensing.revocation import LicenceRevocation
from domain.licensing.shared import common_part
from domain.licensing.terms import LicenceTerms, TermsInvalid
from domain.licensing.use import Use
from domain.licensing.version import TermsVersion
from domain.shared.errors import NotFound, RuleRefused


class NoLicence(RuleRefused):
    """The creator has not published terms yet: nothing is licensed."""

    code = "no_licence"


class LicenceRefused(RuleRefused):
    """The terms in force say no; `reasons` has every reason."""

    code = "licence_refused"

    def __init__(self, decision: Decision) -> None:
        super().__init__(
            " ".join(reason.message for reason in decision.reasons) or "The licence says no.",
            reasons=decision.reasons,
        )
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Standing:
    creator: Creator
    terms: TermsVersion | None
    consents: list[Consent]
    revocations: list[LicenceRevocation] = field(default_factory=list)
    partners: "list[Standing]" = field(default_factory=list)
    """The collaborators that the terms in force name, as far as they have published terms."""

    def terms_in_force(self) -> TermsVersion:
        """Raises NoLicence."""
        if self.terms is None:
            raise NoLicence("The creator has not published licence terms.")
        return self.terms

    def versions(self) -> list[TermsVersion]:
        """The terms in force of everybody whom the likeness shows. Raises NoLicence."""
        return [self.terms_in_force(), *(partner.terms_in_force() for partner in self.partners)]

    def require_consent(self, use: ConsentUse) -> Consent:
        """Raises ConsentMissing."""
        return require_consent(self.consents, use)

    def revoked_from(self) -> datetime | None:
        """When the licence in force ends, or ended, by a revocation; new terms are a new one."""
        version = self.terms.version if self.terms else 0
        ends = (one.effective_at for one in self.revocations if one.terms_version >= version)
        partners = (partner.revoked_from() for partner in self.partners)
        return min((*ends, *(end for end in partners if end is not None)), default=None)

    def beside(self, sublicence: LicenceTerms | None, *, at: datetime) -> LicenceTerms | None:
        """What must allow a use besides the creator's own terms, in one: a sublicence, and what
        collaborators have in common. Where those contradict each other they allow nothing."""
        every = [common_part(partner.terms_in_force().terms) for partner in self.partners]
        if sublicence is not None:
            every.insert(0, sublicence)
        if not every:
            return None
        try:
            return joint(*every, at=at)
        except TermsInvalid:
            nothing = frozenset[Any]()
            return replace(every[0], capabilities=nothing, product_types=nothing, purposes=nothing)

    def decide(self, use: Use) -> Decision:
        """What the terms in force say to a use that no collaborator is asked about, unless they
        are revoked. Raises NoLicence."""
        terms, beside = self.terms_in_force().terms, self.beside(None, at=use.at)
        return evaluate_under(terms, beside, replace(use, revoked_from=self.revoked_from()))

    def require_allowed(self, use: Use) -> Decision:
        """The decision on a use, when it is to allow it. Raises NoLicence, LicenceRefused."""
        decision = self.decide(use)
        if not decision.allowed:
            raise LicenceRefused(decision)
        return decision


async def standing_terms(uow: UnitOfWork, creator_id: UUID) -> Standing:
    """Load what a decision about this creator needs. Raises NotFound."""
    standing = await standings(uow, [creator_id])
    if creator_id not in standing:
        raise NotFound("creator", creator_id)
    return standing[creator_id]


async def standings(uow: UnitOfWork, creator_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """The same for many creators in four queries, and four for all their collaborators; creators
    that do not exist are left out."""
    found = await _alone(uow, creator_ids)
    parties = {
        standing.creator.id: [party.creator_id for party in standing.terms.terms.collaborators]
        for standing in found.values()
        if standing.terms is not None
    }
    wanted = {party for named in parties.values() for party in named} - set(found)
    known = {**found, **(await _alone(uow, wanted) if wanted else {})}
    return {
        creator_id: replace(
            standing,
            partners=[
                known[party]
                for party in parties.get(creator_id, ())
                if party != creator_id and party in known and known[party].terms is not None
            ],
        )
        for creator_id, standing in found.items()
    }


async def _alone(uow: UnitOfWork, creator_ids: Collection[UUID]) -> dict[UUID, Standing]:
    creators = await uow.creators.many(creator_ids)
    terms = {
        version.id: version
        for version in await uow.terms.many([c.terms_id for c in creators if c.terms_id])
    }
    consents = await uow.consents.of_creators(creator_ids)
    revocations = await uow.revocations.of_creators(creator_ids)
    return {
        creator.id: Standing(
            creator,
            terms[creator.terms_id] if creator.terms_id else None,
            [consent for consent in consents if consent.creator_id == creator.id],
            [one for one in revocations if one.creator_id == creator.id],
        )
        for creator in creators
    }
