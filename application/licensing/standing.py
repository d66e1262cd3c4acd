"""What may be done with a creator's likeness right now: consent and the terms in force."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.creators.creator import Creator
from domain.licensing.consent import Consent, ConsentUse, require_consent
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate
from domain.licensing.revocation import LicenceRevocation
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

    def terms_in_force(self) -> TermsVersion:
        """Raises NoLicence."""
        if self.terms is None:
            raise NoLicence("The creator has not published licence terms.")
        return self.terms

    def require_consent(self, use: ConsentUse) -> Consent:
        """Raises ConsentMissing."""
        return require_consent(self.consents, use)

    def revoked_from(self) -> datetime | None:
        """When the licence in force ends, or ended, by a revocation; new terms are a new one."""
        version = self.terms.version if self.terms else 0
        ends = (one.effective_at for one in self.revocations if one.terms_version >= version)
        return min(ends, default=None)

    def decide(self, use: Use) -> Decision:
        """What the terms in force say to a use, unless they are revoked. Raises NoLicence."""
        terms = self.terms_in_force().terms
        return evaluate(terms, replace(use, revoked_from=self.revoked_from()))

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
    """The same for many creators in four queries; creators that do not exist are left out."""
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
