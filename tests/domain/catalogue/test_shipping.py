"""What shipping costs, and that a parcel's parts add up to it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.shipping import (
    Piece,
    ShippingClass,
    ShippingNotOffered,
    ShippingOption,
    Zone,
    class_of,
    dearest_zone,
    parcel_cents,
    rate,
    zone_of,
)
from domain.licensing.terms import ProductType
from domain.shared.money import Currency, rules_of
from tests.builders import USD

SHIRT, CARD = UUID(int=1), UUID(int=2)
STANDARD, EXPRESS = ShippingOption.STANDARD, ShippingOption.EXPRESS


def cents(*pieces: Piece, zone: Zone = Zone.EUROPE) -> dict[UUID, int]:
    return parcel_cents(pieces, zone=zone, option=STANDARD, currency=USD)


def test_every_country_has_a_zone() -> None:
    assert (zone_of("US"), zone_of("DE"), zone_of("JP")) == (
        Zone.NORTH_AMERICA,
        Zone.EUROPE,
        Zone.WORLD,
    )


def test_what_is_digital_is_not_shipped() -> None:
    assert class_of(ProductType.DIGITAL) is None
    assert {class_of(kind) for kind in ProductType} - {None} == set(ShippingClass)


def test_the_first_piece_costs_more_than_the_next() -> None:
    assert cents(Piece(SHIRT, ShippingClass.PARCEL, 1)) == {SHIRT: 590}
    assert cents(Piece(SHIRT, ShippingClass.PARCEL, 3)) == {SHIRT: 590 + 2 * 180}


def test_one_parcel_has_one_first_piece_the_dearest() -> None:
    both = cents(Piece(CARD, ShippingClass.LETTER, 2), Piece(SHIRT, ShippingClass.PARCEL, 1))

    assert sum(both.values()) == 590 + 2 * 40
    assert both[SHIRT] > both[CARD]


def test_express_costs_more() -> None:
    pieces = [Piece(SHIRT, ShippingClass.PARCEL, 1)]
    express = parcel_cents(pieces, zone=Zone.EUROPE, option=EXPRESS, currency=USD)
    assert express[SHIRT] == 3 * 590


def test_while_nobody_knows_where_it_goes_the_dearest_zone_counts() -> None:
    pieces = [Piece(SHIRT, ShippingClass.PARCEL, 1)]
    assert dearest_zone(pieces, Zone, option=STANDARD, currency=USD) is Zone.WORLD
    near = {Zone.EUROPE, Zone.NORTH_AMERICA}
    assert dearest_zone(pieces, near, option=STANDARD, currency=USD) is Zone.EUROPE


def test_a_currency_without_a_tariff_is_refused() -> None:
    with pytest.raises(ShippingNotOffered):
        rate(ShippingClass.LETTER, Zone.WORLD, STANDARD, Currency("sek"))


PARCELS = st.dictionaries(
    st.integers(1, 50).map(lambda n: UUID(int=n)),
    st.tuples(st.sampled_from(ShippingClass), st.integers(1, 50)),
    min_size=1,
    max_size=8,
)


@given(
    PARCELS,
    st.sampled_from(Zone),
    st.sampled_from(ShippingOption),
    st.sampled_from(["usd", "kwd", "jpy"]),
)
def test_the_parts_add_up_and_a_further_piece_never_makes_it_cheaper(
    parcel: dict[UUID, tuple[ShippingClass, int]], zone: Zone, option: ShippingOption, code: str
) -> None:
    currency = Currency(code)
    pieces = [Piece(product, kind, quantity) for product, (kind, quantity) in parcel.items()]
    more = [pieces[0]._replace(quantity=pieces[0].quantity + 1), *pieces[1:]]

    parts = parcel_cents(pieces, zone=zone, option=option, currency=currency)

    assert parts == parcel_cents(pieces[::-1], zone=zone, option=option, currency=currency)
    assert all(part % rules_of(currency).quantum == 0 for part in parts.values())
    grown = parcel_cents(more, zone=zone, option=option, currency=currency)
    assert sum(grown.values()) > sum(parts.values())
