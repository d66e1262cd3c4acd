"""What must hold before something is listed or sold: licence, consent, payees, margin.

All gates are asked and all their reasons are told. Listing and checkout ask the same function.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.licensing.circumstances import Circumstances, circumstances_of
from application.licensing.decisions import Decided
from application.licensing.standing import Standing, standings
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import Product
from domain.catalogue.store import Store
from domain.catalogue.template import TEMPLATES
from domain.ledger.payee import Payee, PayeeKind
from domain.licensing.consent import ConsentMissing, ConsentUse
from domain.licensing.decision import Decision, Outcome, Reason
from domain.licensing.record import DecisionPoint
from domain.licensing.royalty import Royalty
from domain.licensing.rules.making import IMPLIED_RIGHTS
from domain.licensing.shared import Party, evaluate_shared
from domain.licensing.terms import Capability, LicenceTerms, Purpose
from domain.licensing.use import Action, Price, Seller, Use
from domain.licensing.version import TermsVersion
from domain.ordering.fees import FeeSchedule, sale_kind_of
from domain.ordering.split import Line, MarginNegative, split
from domain.shared.errors import RuleRefused
from domain.shared.money import format_money, rules_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A product, with everything that its gates look at."""

    product: Product
    store: Store
    standing: Standing
    creator_payee: Payee
    store_payee: Payee
    circumstances: Circumstances
    sharers: tuple[Payee, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The licence's decision, the reasons of the other gates, and the use that was judged: None
    when there are no terms to judge it by. `sublicence` had to allow it too, and the `parties`
    whom it shows."""

    decision: Decision
    closed_gates: tuple[Reason, ...]
    use: Use | None = None
    sublicence: LicenceTerms | None = None
    parties: tuple[Party, ...] = ()

    @property
    def waits_for_creator(self) -> bool:
        """Nothing is missing but the creator's word."""
        return self.decision.outcome is Outcome.NEEDS_APPROVAL and not self.closed_gates


async def load_offers(
    products: Sequence[Product], *, uow: UnitOfWork, at: datetime
) -> dict[UUID, Offer]:
    """The offers of some products by product, with a fixed number of queries."""
    standing = await standings(uow, {p.creator_id for p in products})
    stores = {s.id: s for s in await uow.stores.many({p.store_id for p in products})}
    circumstances = await circumstances_of(products, standing, uow=uow, at=at)
    sharers = {p.id: _sharers(p, standing[p.creator_id], circumstances, at) for p in products}
    payees = {
        payee.id: payee
        for payee in await uow.payees.many({*standing, *stores}.union(*sharers.values()))
    }
    return {
        product.id: Offer(
            product=product,
            store=stores[product.store_id],
            standing=standing[product.creator_id],
            creator_payee=payees[product.creator_id],
            store_payee=payees[product.store_id],
            circumstances=circumstances,
            sharers=tuple(
                payees.get(sharer) or Payee(id=sharer, kind=PayeeKind.CREATOR)
                for sharer in sorted(sharers[product.id])
            ),
        )
        for product in products
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """How an offer is to be listed or sold, as far as it is known.

    `unit_price_cents` is the final unit price after every discount, None for the list price;
    `territory` the ISO 3166-1 country that a sale goes to, None where it is not known yet; then
    `territories` are those that it is kept to.
    """

    action: Action
    at: datetime
    unit_price_cents: int | None = None
    territory: str | None = None
    territories: frozenset[str] | None = None
    quantity: int = 1


def ask_gates(offer: Offer, proposal: Proposal, *, fees: FeeSchedule) -> Verdict:
    """Judge an offer. Pure: what it looks at was loaded before."""
    closed = tuple(_closed_gates(offer, proposal, fees))
    terms = offer.standing.terms
    if terms is None:
        reason = Reason("no_licence", "creator_id", None, None, "The creator has no licence terms.")
        return Verdict(Decision(Outcome.DENY, (reason,)), closed)
    use = offer.circumstances.complete(_use(offer, proposal), offer.product, offer.standing)
    sublicence = offer.circumstances.sublicence_terms(offer.product, at=use.at)
    beside = offer.standing.beside(sublicence, at=use.at)
    parties = offer.circumstances.parties(
        offer.product, offer.standing, owner_id=offer.store.owner_id
    )
    decision = evaluate_shared(terms.terms, beside, parties, use)
    return Verdict(decision, closed, use, beside, parties)


def decided_on(
    verdict: Verdict, point: DecisionPoint, *, subject_id: UUID, terms: TermsVersion
) -> Decided:
    """The licence's part of a verdict, to be kept by `record_decisions`; the terms are those in
    force of the offer that was judged."""
    if verdict.use is None:
        raise ValueError("nothing was judged without terms")
    return Decided(
        point=point,
        subject_id=subject_id,
        terms=terms,
        use=verdict.use,
        decision=verdict.decision,
        sublicence=verdict.sublicence,
        parties=verdict.parties,
    )


def _use(offer: Offer, proposal: Proposal) -> Use:
    product, creator = offer.product, offer.standing.creator
    creators_own = offer.store.owner_id == creator.user_id
    return Use(
        action=proposal.action,
        at=proposal.at,
        subject_rights=IMPLIED_RIGHTS[Capability.IMAGE],
        product_type=product.product_type,
        purpose=Purpose.COMMERCIAL,
        seller=Seller(offer.store.id, creators_own),
        price=Price(
            product.price_cents,
            product.price_cents if proposal.unit_price_cents is None else proposal.unit_price_cents,
            product.currency,
        ),
        texts=(
            ("title", product.title),
            ("description", product.description),
            ("prompt", product.prompt),
        ),
        creator_name=creator.display_name,
        quantity=proposal.quantity,
        territories=(
            proposal.territories if proposal.territory is None else frozenset({proposal.territory})
        ),
    )


def _closed_gates(offer: Offer, proposal: Proposal, fees: FeeSchedule) -> Iterator[Reason]:
    try:
        offer.standing.require_consent(ConsentUse.MERCHANDISE)
    except ConsentMissing as error:
        yield Reason(error.code, "creator_id", None, None, error.message)
    for who, payee in (("creator", offer.creator_payee), ("store", offer.store_payee)):
        if not payee.can_be_paid:
            yield Reason(
                f"{who}_payee_not_ready",
                f"{who}_id",
                "active",
                payee.status,
                f"The {who} cannot be paid yet.",
            )
    for payee in offer.sharers:
        if not payee.can_be_paid:
            yield Reason(
                "sharer_payee_not_ready",
                "creator_id",
                "active",
                payee.status,
                "Somebody who shares the royalty cannot be paid yet.",
            )
    product, terms = offer.product, offer.standing.terms
    if proposal.action is Action.LIST:
        yield from _unchargeable(product)
    try:
        cost = TEMPLATES[product.product_type].cost_cents(product.currency)
        split(
            Line(
                product.price_cents,
                1,
                cost,
                offer.circumstances.royalty(product, terms.terms, at=proposal.at)
                if terms
                else Royalty(0),
                offer.standing.creator.id,
                offer.store.id,
            ),
            fees.rate_of(sale_kind_of(product.product_type)),
        )
    except RuleRefused as error:
        field = "price_cents" if isinstance(error, MarginNegative) else "currency"
        value = product.price_cents if isinstance(error, MarginNegative) else product.currency
        yield Reason(error.code, field, None, value, error.message)


def _unchargeable(product: Product) -> Iterator[Reason]:
    """A price that the payment provider could never take. What is on sale already is not asked
    again by a checkout, whose total is what is charged: several cheap pieces can be enough."""
    cents, code = product.price_cents, product.currency
    rules = rules_of(code)
    if cents % rules.quantum:
        yield Reason(
            "price_not_in_steps",
            "price_cents",
            rules.quantum,
            cents,
            f"Prices in {code.upper()} are multiples of {rules.quantum} minor units.",
        )
    if cents < rules.minimum_charge_cents:
        yield Reason(
            "price_below_smallest_charge",
            "price_cents",
            rules.minimum_charge_cents,
            cents,
            f"Less than {format_money(rules.minimum_charge_cents, code)} cannot be charged.",
        )


def _sharers(
    product: Product, standing: Standing, circumstances: Circumstances, at: datetime
) -> frozenset[UUID]:
    """Who has a part of the royalty beside the creator: each must be payable too."""
    if standing.terms is None:
        return frozenset()
    royalty = circumstances.royalty(product, standing.terms.terms, at=at)
    return frozenset(share.payee_id for share in royalty.shares) - {product.creator_id}
