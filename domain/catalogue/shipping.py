"""What shipping costs: by class of goods, zone and option, a first piece and each further one.

A store that names no options ships at its own expense: the price of its goods includes it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.licensing.terms import ProductType
from domain.shared.allocation import largest_remainder
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency, floor_to_quantum, rules_of


class ShippingOption(StrEnum):
    STANDARD = "standard"
    EXPRESS = "express"


class ShippingClass(StrEnum):
    """How a thing travels."""

    LETTER = "letter"
    TUBE = "tube"
    PARCEL = "parcel"
    FRAGILE = "fragile"


class Zone(StrEnum):
    NORTH_AMERICA = "north_america"
    EUROPE = "europe"
    WORLD = "world"


class ShippingNotOffered(RuleRefused):
    """A store of the order does not ship by this option, or not in this currency."""

    code = "shipping_not_offered"


_ZONES: Mapping[Zone, frozenset[str]] = {
    Zone.NORTH_AMERICA: frozenset({"US", "CA", "MX"}),
    Zone.EUROPE: frozenset(
        re.findall(
            "[A-Z]{2}",
            "AD AL AT BA BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC MD "
            "ME MK MT NL NO PL PT RO RS SE SI SK SM VA",
        )
    ),
}

_CLASSES = {
    ProductType.POSTCARD: ShippingClass.LETTER,
    ProductType.PRINT: ShippingClass.TUBE,
    ProductType.SHIRT: ShippingClass.PARCEL,
    ProductType.FIGURINE: ShippingClass.FRAGILE,
}


class Rate(NamedTuple):
    """Minor units for the first piece of a parcel, and for each further one."""

    first_cents: int
    extra_cents: int


_USD_RATES: Mapping[ShippingClass, Mapping[Zone, Rate]] = {
    ShippingClass.LETTER: {
        Zone.NORTH_AMERICA: Rate(150, 30), Zone.EUROPE: Rate(190, 40), Zone.WORLD: Rate(240, 50),
    },
    ShippingClass.TUBE: {
        Zone.NORTH_AMERICA: Rate(590, 150), Zone.EUROPE: Rate(690, 180), Zone.WORLD: Rate(990, 250),
    },
    ShippingClass.PARCEL: {
        Zone.NORTH_AMERICA: Rate(490, 150), Zone.EUROPE: Rate(590, 180), Zone.WORLD: Rate(990, 300),
    },
    ShippingClass.FRAGILE: {
        Zone.NORTH_AMERICA: Rate(890, 350),
        Zone.EUROPE: Rate(990, 400),
        Zone.WORLD: Rate(1690, 700),
    },
}  # fmt: skip
_PER_USD: Mapping[str, tuple[int, int]] = {
    "usd": (1, 1),
    "eur": (94, 100),
    "gbp": (80, 100),
    "jpy": (3, 2),
    "kwd": (31, 10),
}
"""Each currency's tariff as a fraction of the one in dollars, minor unit for minor unit. A tariff,
not an exchange rate: it changes when somebody changes it here."""
EXPRESS_TIMES = 3


def class_of(product_type: ProductType) -> ShippingClass | None:
    """None for what is not shipped."""
    return _CLASSES.get(product_type)


def zone_of(country: str) -> Zone:
    """`country` is ISO 3166-1 alpha-2."""
    return next((zone for zone, members in _ZONES.items() if country in members), Zone.WORLD)


def rate(kind: ShippingClass, zone: Zone, option: ShippingOption, currency: Currency) -> Rate:
    """Raises ShippingNotOffered for a currency without a tariff."""
    if currency not in _PER_USD:
        raise ShippingNotOffered(f"Nothing is shipped for {currency.upper()}.", currency=currency)
    times, over = _PER_USD[currency]
    times *= EXPRESS_TIMES if option is ShippingOption.EXPRESS else 1
    quantum = rules_of(currency).quantum

    def of(usd_cents: int) -> int:
        return max(quantum, floor_to_quantum(usd_cents * times // over, currency))

    listed = _USD_RATES[kind][zone]
    return Rate(of(listed.first_cents), of(listed.extra_cents))


class Piece(NamedTuple):
    """So many pieces of a product that one store ships."""

    product_id: UUID
    kind: ShippingClass
    quantity: int


def parcel_cents(
    pieces: Sequence[Piece], *, zone: Zone, option: ShippingOption, currency: Currency
) -> dict[UUID, int]:
    """What one store's parcel costs, divided over its products.

    The dearest first piece, and every other piece at its own further rate; divided by what each
    product's pieces add, by largest remainder in order of the products' ids.
    """
    if not pieces:
        return {}
    ordered = sorted(pieces, key=lambda piece: piece.product_id)
    rates = [rate(piece.kind, zone, option, currency) for piece in ordered]
    lead = max(range(len(ordered)), key=lambda i: rates[i].first_cents - rates[i].extra_cents)
    extras = [r.extra_cents * p.quantity for r, p in zip(rates, ordered, strict=True)]
    total = sum(extras) - rates[lead].extra_cents + rates[lead].first_cents
    quantum = rules_of(currency).quantum
    parts = largest_remainder(total // quantum, extras)
    return {p.product_id: part * quantum for p, part in zip(ordered, parts, strict=True)}


def dearest_zone(
    pieces: Sequence[Piece],
    zones: Iterable[Zone],
    *,
    option: ShippingOption,
    currency: Currency,
) -> Zone:
    """Where a parcel would cost most: what is charged while nobody knows where it goes."""
    return max(
        sorted(zones),
        key=lambda zone: sum(
            parcel_cents(pieces, zone=zone, option=option, currency=currency).values()
        ),
    )
