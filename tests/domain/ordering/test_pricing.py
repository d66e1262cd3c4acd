"""Pricing: the stores' discounts, the platform's, shipping, tax; and that the lines add up."""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.royalty import Royalty
from domain.ordering.discount import (
    Discount,
    DiscountInvalid,
    DiscountKind,
    DiscountNotUsable,
    DiscountScope,
    discount_code,
    usable,
)
from domain.ordering.fees import FeeRate
from domain.ordering.pricing import Item, price, with_shipping, with_tax
from domain.ordering.split import LegKind, Line, split
from domain.shared.money import Currency
from tests.builders import NOON, USD, discount

STORE, OTHER = UUID(int=0x20), UUID(int=0x21)
SHIRT, MUG, PRINT = UUID(int=0x30), UUID(int=0x31), UUID(int=0x32)
TEN_PERCENT = FeeRate(1000)
KWD = Currency("kwd")


def item(product: UUID = SHIRT, cents: int = 2500, quantity: int = 1, store: UUID = STORE) -> Item:
    return Item(product, store, cents, quantity, TEN_PERCENT)


def test_without_discounts_a_line_costs_its_pieces() -> None:
    priced = price([item(quantity=3), item(MUG, 999)], [], currency=USD)

    assert [line.total_cents for line in priced.lines] == [7500, 999]
    assert priced.total_cents == 8499


def test_a_percentage_of_a_line_is_floored() -> None:
    third_off = discount(STORE, percent_bps=3333)

    (line,) = price([item(cents=1000, quantity=1)], [third_off], currency=USD).lines

    assert (line.discount_cents, line.net_cents) == (333, 667)


def test_an_amount_off_a_line_counts_for_each_piece_and_never_goes_below_zero() -> None:
    (line,) = price([item(quantity=2)], [discount(STORE, amount_cents=300)], currency=USD).lines
    (free,) = price([item(cents=200)], [discount(STORE, amount_cents=300)], currency=USD).lines

    assert line.net_cents == 5000 - 600
    assert free.net_cents == 0


def test_a_cart_discount_is_divided_by_largest_remainder() -> None:
    off = discount(STORE, amount_cents=1000, scope=DiscountScope.CART)

    priced = price([item(SHIRT, 1000), item(MUG, 1000), item(PRINT, 1000)], [off], currency=USD)

    assert [line.discount_cents for line in priced.lines] == [334, 333, 333]


def test_a_store_gives_discounts_on_its_own_lines_alone() -> None:
    off = discount(STORE, percent_bps=5000, scope=DiscountScope.CART)

    priced = price([item(), item(MUG, 2000, store=OTHER)], [off], currency=USD)

    assert [line.discount_cents for line in priced.lines] == [1250, 0]


def test_a_discount_of_named_products_leaves_the_others() -> None:
    off = discount(STORE, percent_bps=1000, product_ids=(MUG,))

    priced = price([item(), item(MUG, 2000)], [off], currency=USD)

    assert [line.discount_cents for line in priced.lines] == [0, 200]


def test_of_two_discounts_of_one_kind_the_better_applies_and_a_cart_discount_comes_on_top() -> None:
    small, large = discount(STORE, percent_bps=1000), discount(STORE, percent_bps=2000)
    cart = discount(STORE, percent_bps=1000, scope=DiscountScope.CART)

    (line,) = price([item(cents=1000)], [small, cart, large], currency=USD).lines

    assert [d.amount_cents for d in line.discounts] == [200, 80]
    assert line.net_cents == 720


def test_the_platforms_discount_is_capped_at_its_fee_of_what_the_store_asks() -> None:
    """$25.00 less 20 % is $20.00, of which the platform's fee is $2.00: that is all it can give."""
    store, platform = discount(STORE, percent_bps=2000), discount(None, percent_bps=5000)

    (line,) = price([item()], [platform, store], currency=USD).lines

    assert (line.discount_cents, line.platform_discount_cents) == (700, 200)
    legs = split(
        Line(line.net_cents, 1, 0, Royalty(1000), STORE, OTHER, line.platform_discount_cents),
        TEN_PERCENT,
    )
    assert sum(leg.amount_cents for leg in legs) == line.net_cents
    assert {leg.kind: leg.amount_cents for leg in legs}[LegKind.PLATFORM_FEE] == 0
    assert {leg.kind: leg.amount_cents for leg in legs}[LegKind.ROYALTY] == 200


def test_amounts_are_multiples_of_what_the_currency_can_be_charged_in() -> None:
    off = discount(STORE, percent_bps=3333, scope=DiscountScope.CART)

    priced = price([item(cents=2505), item(MUG, 1117)], [off], currency=KWD)

    assert all(line.total_cents % 10 == 0 for line in priced.lines)
    assert priced.lines[0].unit_price_cents == 2500


def test_shipping_and_tax_come_on_top_of_the_line_they_belong_to() -> None:
    priced = price([item(), item(MUG, 1000)], [], currency=USD)
    priced = with_tax(with_shipping(priced, {SHIRT: 490}), {SHIRT: 299, MUG: 100})

    assert [line.total_cents for line in priced.lines] == [2500 + 490 + 299, 1100]
    assert (priced.shipping_cents, priced.tax_cents, priced.total_cents) == (490, 399, 4389)


# When a discount applies.


def test_a_discount_applies_from_its_start_until_just_before_its_end() -> None:
    off = discount(STORE, starts_at=NOON, ends_at=NOON + timedelta(days=1))

    assert not off.applies(at=NOON - timedelta(seconds=1), currency=USD)
    assert off.applies(at=NOON, currency=USD)
    assert not off.applies(at=NOON + timedelta(days=1), currency=USD)


def test_what_is_inactive_archived_used_up_or_in_another_currency_does_not_apply() -> None:
    for off in (
        discount(STORE, active=False),
        discount(STORE, archived=True),
        discount(STORE, usage_limit=5, used=5),
        discount(STORE, amount_cents=100, currency=Currency("eur")),
    ):
        assert not off.applies(at=NOON, currency=USD)


def test_a_code_that_nobody_has_is_refused_and_never_dropped() -> None:
    off = discount(STORE, code="WELCOME")

    assert usable([off], ["WELCOME"], at=NOON, currency=USD) == [off]
    with pytest.raises(DiscountNotUsable):
        usable([off], ["WELCOME", "OTHER"], at=NOON, currency=USD)


def test_codes_are_compared_in_capitals() -> None:
    assert discount_code(" spring-26 ") == "SPRING-26"
    for text in ("", "ab", "with space", "é" * 5, "x" * 41):
        with pytest.raises(DiscountInvalid):
            discount_code(text)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("value", {"percent_bps": 10_001}),
        ("value", {"amount_cents": 0}),
        ("value", {"amount_cents": 1005, "currency": KWD}),
        ("currency", {"percent_bps": 100, "currency": USD}),
        ("ends_at", {"starts_at": NOON, "ends_at": NOON}),
    ],
)
def test_a_discount_that_contradicts_itself_is_refused(
    field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(DiscountInvalid) as refused:
        discount(STORE, **changes).check()  # type: ignore[arg-type]
    assert field in refused.value.facts["fields"]  # type: ignore[operator]


# Whatever is bought, with whatever discounts.

PRODUCTS = [UUID(int=0x100 + n) for n in range(6)]
ITEMS = st.lists(
    st.builds(
        Item,
        st.sampled_from(PRODUCTS),
        st.sampled_from([STORE, OTHER]),
        st.integers(0, 100_000),
        st.integers(1, 20),
        st.sampled_from([FeeRate(1000), FeeRate(500, 30), FeeRate(0)]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda i: i.product_id,
)


@st.composite
def discounts(draw: st.DrawFn) -> Discount:
    percent = draw(st.booleans())
    return discount(
        draw(st.sampled_from([None, STORE, OTHER])),
        percent_bps=draw(st.integers(1, 10_000)) if percent else None,
        amount_cents=None if percent else draw(st.integers(1, 500)) * 10,
        currency=None,
        scope=draw(st.sampled_from(DiscountScope)),
        product_ids=tuple(draw(st.sets(st.sampled_from(PRODUCTS), max_size=3))),
        kind=DiscountKind.PERCENT if percent else DiscountKind.AMOUNT,
    )


@given(ITEMS, st.lists(discounts(), max_size=6), st.sampled_from([USD, KWD]), st.randoms())
def test_whatever_the_discounts_lines_add_up_and_order_decides_nothing(
    items: list[Item], offered: list[Discount], currency: Currency, chance: random.Random
) -> None:
    priced = price(items, offered, currency=currency)

    shuffled, turned = list(items), list(offered)
    chance.shuffle(shuffled)
    chance.shuffle(turned)
    again = price(shuffled, turned, currency=currency)
    assert {line.product_id: line for line in again.lines} == {
        line.product_id: line for line in priced.lines
    }
    assert priced.total_cents == priced.subtotal_cents - priced.discount_cents
    for bought, line in zip(items, priced.lines, strict=True):
        assert 0 <= line.platform_discount_cents <= line.discount_cents <= line.subtotal_cents
        assert line.net_cents >= 0
        assert line.final_unit_price_cents * line.quantity <= line.net_cents
        assert line.net_cents % (10 if currency == KWD else 1) == 0
        legs = split(
            Line(
                line.net_cents, line.quantity, 0, Royalty(0), STORE, OTHER,
                line.platform_discount_cents,
            ),
            bought.fee._replace(fixed_cents=0),
        ) if not bought.fee.fixed_cents else ()  # fmt: skip
        assert not legs or sum(leg.amount_cents for leg in legs) == line.net_cents


@given(ITEMS, st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_percentage_never_takes_more_than_its_share(
    items: list[Item], line_bps: int, cart_bps: int
) -> None:
    """What is floored stays with the store: two discounts never exceed their exact product."""
    offered = [
        discount(store, percent_bps=bps, scope=scope)
        for store in (STORE, OTHER)
        for scope, bps in ((DiscountScope.LINE, line_bps), (DiscountScope.CART, cart_bps))
    ]

    priced = price(items, offered, currency=USD)

    exact = priced.subtotal_cents * (10_000 - line_bps) * (10_000 - cart_bps)
    assert priced.total_cents * 10_000**2 >= exact
