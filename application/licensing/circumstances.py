"""What a decision looks at beside the terms: grants, the creator's answers, what is used up.

Loaded once for all the offers of a request, with a fixed number of queries; each is made only
where the terms of some creator ask for it. What is counted here is advice: `usage.py` decides
under lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from application.licensing.questions import (
    Question,
    Words,
    parties_of,
    questions_of,
    words_of,
)
from application.licensing.standing import Standing
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import Product
from domain.licensing.approval import (
    ApprovalRequest,
    subject_of_first_use,
    subject_of_product,
)
from domain.licensing.conditions import Approval
from domain.licensing.grant import LicenceGrant, royalty_under, sold_under, standing_of
from domain.licensing.royalty import Royalty
from domain.licensing.shared import Party
from domain.licensing.terms import LicenceTerms
from domain.licensing.territories import COUNTRIES, permitted
from domain.licensing.usage import Counter, CounterKind
from domain.licensing.use import Action, Usage, Use
from domain.licensing.use import Grant as GrantWord
from domain.licensing.version import TermsVersion


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of some creators and products, at one moment."""

    grants: Sequence[LicenceGrant]
    approvals: Mapping[tuple[UUID, str], ApprovalRequest]
    counted: Mapping[Counter, int]

    def sublicence(self, product: Product, *, at: datetime) -> LicenceGrant | None:
        return sold_under(product.store_id, product.product_type, self._of(product), at=at)

    def royalty(self, product: Product, terms: LicenceTerms, *, at: datetime) -> Royalty:
        """The rule for the royalty of a sale of this product that nothing was sold before."""
        sublicence = self.sublicence(product, at=at)
        return royalty_under(terms, sublicence, creator_id=product.creator_id)

    def complete(self, use: Use, product: Product, standing: Standing) -> Use:
        """The listing or sale with all that is known beside the terms."""
        terms, sublicence = standing.terms_in_force().terms, self.sublicence(product, at=use.at)
        return replace(
            use,
            usage=self._usage(product, product.creator_id),
            grant=self._grant(use, product, terms),
            approved=self._words(product, standing).get(product.creator_id),
            sublicence_depth=sublicence.depth if sublicence else 0,
            revoked_from=standing.revoked_from(),
        )

    def parties(self, product: Product, standing: Standing, *, owner_id: UUID) -> tuple[Party, ...]:
        """Everybody else whom the product shows; `owner_id` is the user whose store sells it."""
        return parties_of(
            standing,
            self._words(product, standing),
            users={owner_id},
            usage=lambda creator_id: self._usage(product, creator_id),
        )

    def sublicence_terms(self, product: Product, *, at: datetime) -> LicenceTerms | None:
        """What must allow the listing or sale besides the creator's terms."""
        sublicence = self.sublicence(product, at=at)
        return sublicence.terms if sublicence else None

    def _of(self, product: Product) -> list[LicenceGrant]:
        return [grant for grant in self.grants if grant.creator_id == product.creator_id]

    def _grant(self, use: Use, product: Product, terms: LicenceTerms) -> GrantWord | None:
        if use.seller is None:
            return None
        known = use.territories
        countries = (
            permitted(known, frozenset(), use.at)
            if known
            else permitted(terms.territories_included, terms.territories_excluded, use.at)
        )
        return standing_of(
            use.seller,
            product.product_type,
            countries or COUNTRIES,
            self._of(product),
            listing=use.action is Action.LIST,
            at=use.at,
        )

    def _words(self, product: Product, standing: Standing) -> Words:
        return words_of(product_questions(product, standing), self.approvals)

    def _usage(self, product: Product, creator_id: UUID) -> Usage:
        def value(kind: CounterKind, subject: str = "", currency: str = "") -> int:
            counter = Counter(creator_id, kind, subject, currency)
            return self.counted.get(counter, 0)

        return Usage(
            units_sold=value(CounterKind.UNITS),
            edition_sold=value(CounterKind.EDITION, str(product.id)),
            revenue_cents=value(CounterKind.REVENUE, "", product.currency),
        )


def product_questions(product: Product, standing: Standing) -> list[Question]:
    """What is asked about listing a product, and of whom. Raises NoLicence."""
    return questions_of(standing, lambda terms: _subject_of(product, terms))


def _subject_of(product: Product, terms: LicenceTerms) -> str | None:
    match terms.approval:
        case Approval.FIRST_USE:
            return subject_of_first_use(product.store_id)
        case Approval.PER_PRODUCT:
            return subject_of_product(
                product.id,
                product.product_type,
                product.title,
                product.description,
                product.prompt,
            )
        case Approval.NONE | Approval.PER_GENERATION:
            return None


async def circumstances_of(
    products: Collection[Product],
    standings: Mapping[UUID, Standing],
    *,
    uow: UnitOfWork,
    at: datetime,
) -> Circumstances:
    questions: list[tuple[UUID, str]] = []
    counters: list[Counter] = []
    for product in products:
        standing = standings[product.creator_id]
        if standing.terms is None:
            continue
        questions += [question.key for question in product_questions(product, standing)]
        for version in standing.versions():
            counters += _counters(product, version)
    return Circumstances(
        await uow.grants.active({product.creator_id for product in products}, at=at),
        await uow.approvals.latest(questions) if questions else {},
        await uow.usage.values(counters) if counters else {},
    )


def _counters(product: Product, version: TermsVersion) -> list[Counter]:
    creator, quotas = version.creator_id, version.terms.quotas
    found = []
    if quotas.units is not None:
        found.append(Counter(creator, CounterKind.UNITS))
    if quotas.edition_size is not None:
        found.append(Counter(creator, CounterKind.EDITION, str(product.id)))
    if quotas.revenue_cents is not None:
        found.append(Counter(creator, CounterKind.REVENUE, "", product.currency))
    return found
