"""What must hold before something is listed or sold: licence, consent, payees, margin.

All gates are asked and all their reasons are told. Listing and checkout ask the same function.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from application.licensing.standing import Standing
from domain.catalogue.store import Store
from domain.catalogue.template import TEMPLATES
from domain.ledger.payee import Payee
from domain.licensing.consent import ConsentMissing, ConsentUse
from domain.licensing.decision import Decision, Outcome, Reason
from domain.licensing.evaluate import evaluate
from domain.licensing.terms import ProductType, Purpose
from domain.licensing.use import Action, Price, Seller, Use
from domain.ordering.split import FeeSchedule, Line, MarginNegative, split
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something for sale, with everything that its gates look at."""

    product_type: ProductType
    title: str
    description: str
    prompt: str
    price_cents: int
    currency: Currency
    store: Store
    standing: Standing
    creator_payee: Payee
    store_payee: Payee


@dataclass(frozen=True, slots=True)
class Verdict:
    """The licence's decision, and the reasons of the other gates."""

    decision: Decision
    closed_gates: tuple[Reason, ...]

    @property
    def is_open(self) -> bool:
        return self.decision.allowed and not self.closed_gates


def ask_gates(offer: Offer, *, action: Action, fees: FeeSchedule, at: datetime) -> Verdict:
    """Judge an offer. Pure: what it looks at was loaded before."""
    return Verdict(_decide(offer, action, at), tuple(_closed_gates(offer, fees)))


def _decide(offer: Offer, action: Action, at: datetime) -> Decision:
    terms = offer.standing.terms
    if terms is None:
        reason = Reason("no_licence", "creator_id", None, None, "The creator has no licence terms.")
        return Decision(Outcome.DENY, (reason,))
    creators_own = offer.store.owner_id == offer.standing.creator.user_id
    use = Use(
        action=action,
        at=at,
        product_type=offer.product_type,
        purpose=Purpose.COMMERCIAL,
        seller=Seller(offer.store.id, creators_own),
        price=Price(offer.price_cents, offer.price_cents, offer.currency),
        texts=(
            ("title", offer.title),
            ("description", offer.description),
            ("prompt", offer.prompt),
        ),
    )
    return evaluate(terms.terms, use)


def _closed_gates(offer: Offer, fees: FeeSchedule) -> Iterator[Reason]:
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
    terms = offer.standing.terms
    try:
        cost = TEMPLATES[offer.product_type].cost_cents(offer.currency)
        split(
            Line(
                offer.price_cents,
                1,
                cost,
                terms.terms.royalty_bps if terms else 0,
                offer.standing.creator.id,
                offer.store.id,
            ),
            fees,
        )
    except RuleRefused as error:
        field = "price_cents" if isinstance(error, MarginNegative) else "currency"
        value = offer.price_cents if isinstance(error, MarginNegative) else offer.currency
        yield Reason(error.code, field, None, value, error.message)
