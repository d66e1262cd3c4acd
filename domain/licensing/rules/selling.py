"""What may be sold, by whom, where, at which price, and how much of it."""

from collections.abc import Iterator

from domain.licensing.decision import Reason, listed, unknown
from domain.licensing.terms import LicenceTerms
from domain.licensing.territories import permitted
from domain.licensing.use import Action, Use
from domain.shared.money import BASIS_POINTS_PER_UNIT, format_money

SELLING = frozenset({Action.LIST, Action.SELL})


def product_type(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in SELLING:
        return
    if use.product_type is None:
        yield unknown("product_type")
    elif use.product_type not in terms.product_types:
        yield Reason(
            "product_type_not_allowed",
            "product_type",
            listed(terms.product_types),
            use.product_type,
            f"The licence does not allow the product type {use.product_type}.",
        )


def store(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action not in SELLING:
        return
    if use.seller is None:
        yield unknown("store_id")
        return
    store_id = use.seller.store_id
    if store_id in terms.denied_stores:
        yield Reason(
            "store_denied", "store_id", None, str(store_id), "The licence excludes this store."
        )
    if use.seller.is_creators_own:
        return
    if not terms.allow_third_party_stores:
        yield Reason(
            "third_party_store",
            "store_id",
            None,
            str(store_id),
            "The licence allows the creator's own stores only.",
        )
    elif terms.allowed_stores is not None and store_id not in terms.allowed_stores:
        yield Reason(
            "store_not_listed",
            "store_id",
            listed(terms.allowed_stores),
            str(store_id),
            "The licence names the stores that may sell, and this is none of them.",
        )


def territory(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """A listing need not say where it will be sold: each sale says where it goes."""
    if terms.worldwide or use.action not in SELLING:
        return
    if not use.territories:
        if use.action is Action.SELL:
            yield unknown("territory")
        return
    allowed = permitted(terms.territories_included, terms.territories_excluded, use.at)
    for country in sorted(use.territories - allowed):
        yield Reason(
            "territory_not_allowed",
            "territory",
            territory_text(terms),
            country,
            f"The licence does not allow sales to {country}.",
        )


def territory_text(terms: LicenceTerms) -> str:
    """`EU without FR`, `world without US`."""
    included = listed(terms.territories_included) or "world"
    excluded = listed(terms.territories_excluded)
    return f"{included} without {excluded}" if excluded else included


def price(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """The final unit price, after every discount, is at least max(minimum, list × (1 − rate))."""
    if use.action not in SELLING:
        return
    price = use.price
    if price is None:
        yield unknown("price_cents")
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


def quotas(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """A sale uses quotas up; a listing does not."""
    limits, usage = terms.quotas, use.usage
    if use.action is not Action.SELL:
        return
    if limits.units is not None:
        if usage.units_sold is None:
            yield unknown("units_sold")
        elif usage.units_sold + use.quantity > limits.units:
            yield Reason(
                "units_used_up",
                "units_sold",
                limits.units,
                usage.units_sold + use.quantity,
                f"The licence allows {limits.units} pieces in all.",
            )
    if limits.edition_size is not None:
        if usage.edition_sold is None:
            yield unknown("edition_sold")
        elif usage.edition_sold + use.quantity > limits.edition_size:
            yield Reason(
                "edition_sold_out",
                "edition_sold",
                limits.edition_size,
                usage.edition_sold + use.quantity,
                f"The licence allows {limits.edition_size} pieces of a product.",
            )
    if limits.revenue_cents is not None and use.price is not None:
        if usage.revenue_cents is None:
            yield unknown("revenue_cents")
        elif (
            after := usage.revenue_cents + use.price.unit_cents * use.quantity
        ) > limits.revenue_cents:
            yield Reason(
                "revenue_ceiling_reached",
                "revenue_cents",
                limits.revenue_cents,
                after,
                f"The licence allows sales of "
                f"{format_money(limits.revenue_cents, use.price.currency)} in all.",
            )
