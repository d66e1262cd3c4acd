"""`evaluate(terms, use) -> Decision`: the one place where a licence is read.

Each condition is a function from terms and use to its reasons against. They are all asked; any
reason refuses. A condition that needs an attribute which the use does not tell refuses as well:
unknown is no. Pure, a few microseconds.
"""

from collections.abc import Iterator
from datetime import timedelta

from domain.licensing.decision import Decision, Outcome, Reason
from domain.licensing.keywords import blocked_words
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Action, Use
from domain.shared.money import BASIS_POINTS_PER_UNIT, format_money

_COMMERCE = frozenset({Action.LIST, Action.SELL})


def evaluate(terms: LicenceTerms, use: Use) -> Decision:
    """Judge a use. Deterministic: equal terms and equal use give an equal decision."""
    reasons = tuple(reason for condition in _CONDITIONS for reason in condition(terms, use))
    outcome = Outcome.DENY if reasons else Outcome.ALLOW
    return Decision(outcome=outcome, reasons=reasons)


def _capability(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action in _COMMERCE:
        return
    if use.capability is None:
        yield _unknown("capability")
    elif use.capability not in terms.capabilities:
        yield Reason(
            "capability_not_granted",
            "capability",
            _listed(terms.capabilities),
            use.capability,
            f"The licence does not grant {use.capability}.",
        )


def _product_type(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in _COMMERCE:
        return
    if use.product_type is None:
        yield _unknown("product_type")
    elif use.product_type not in terms.product_types:
        yield Reason(
            "product_type_not_allowed",
            "product_type",
            _listed(terms.product_types),
            use.product_type,
            f"The licence does not allow the product type {use.product_type}.",
        )


def _purpose(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action is Action.TRAIN:
        return
    if use.purpose is None:
        yield _unknown("purpose")
    elif use.purpose not in terms.purposes:
        yield Reason(
            "purpose_not_allowed",
            "purpose",
            _listed(terms.purposes),
            use.purpose,
            f"The licence does not allow the purpose {use.purpose}.",
        )


def _store(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in _COMMERCE:
        return
    if use.seller is None:
        yield _unknown("store_id")
        return
    store = str(use.seller.store_id)
    if use.seller.store_id in terms.denied_stores:
        yield Reason("store_denied", "store_id", None, store, "The licence excludes this store.")
    if use.seller.is_creators_own:
        return
    if not terms.allow_third_party_stores:
        yield Reason(
            "third_party_store",
            "store_id",
            None,
            store,
            "The licence allows the creator's own stores only.",
        )
    elif terms.allowed_stores is not None and use.seller.store_id not in terms.allowed_stores:
        yield Reason(
            "store_not_listed",
            "store_id",
            _listed(terms.allowed_stores),
            store,
            "The licence names the stores that may sell, and this is none of them.",
        )


def _term(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.at < terms.valid_from:
        yield Reason(
            "not_yet_valid",
            "at",
            terms.valid_from.isoformat(),
            use.at.isoformat(),
            "The licence is not valid yet.",
        )
    if terms.valid_until is None:
        return
    grace = timedelta(days=terms.sell_off_days if use.action is Action.SELL else 0)
    if use.at >= terms.valid_until + grace:
        yield Reason(
            "expired",
            "at",
            (terms.valid_until + grace).isoformat(),
            use.at.isoformat(),
            "The licence has ended.",
        )


def _keywords(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    for field, text in use.texts:
        for word in blocked_words(text, terms.blocked_keywords):
            yield Reason(
                "blocked_keyword", field, word, word, f"The licence blocks {word!r} in the {field}."
            )


def _price(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in _COMMERCE:
        return
    price = use.price
    if price is None:
        yield _unknown("price_cents")
        return
    if use.product_type is None:
        return
    minimum = terms.minimum_price_cents(use.product_type, price.currency)
    if price.unit_cents < minimum:
        yield Reason(
            "below_minimum_price",
            "price_cents",
            minimum,
            price.unit_cents,
            f"The licence asks at least {format_money(minimum, price.currency)}; "
            f"the price is {format_money(price.unit_cents, price.currency)}.",
        )
    discount_cents = price.list_cents - price.unit_cents
    if discount_cents * BASIS_POINTS_PER_UNIT > price.list_cents * terms.max_discount_bps:
        yield Reason(
            "discount_too_deep",
            "price_cents",
            terms.max_discount_bps,
            price.unit_cents,
            f"The licence allows at most {terms.max_discount_bps / 100:g}% off the list price.",
        )


_CONDITIONS = (_capability, _product_type, _purpose, _store, _term, _keywords, _price)


def _unknown(field: str) -> Reason:
    return Reason(f"unknown_{field}", field, None, None, f"The use does not say its {field}.")


def _listed(values: frozenset[object] | frozenset[str]) -> str:
    return ", ".join(sorted(str(value) for value in values))
