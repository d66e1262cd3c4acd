"""Who gets what of a line: exact to the cent, explained, never below zero."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ordering.split import (
    FeeSchedule,
    Leg,
    LegKind,
    Line,
    MarginNegative,
    Reason,
    Rule,
    explain,
    split,
)

CREATOR, STORE = uuid4(), uuid4()
TEN_PERCENT = FeeSchedule(1000)


def line(
    total_cents: int = 2500, *, quantity: int = 1, unit_cost_cents: int = 950, bps: int = 1000
) -> Line:
    return Line(total_cents, quantity, unit_cost_cents, bps, CREATOR, STORE)


def amounts(of: Line, fees: FeeSchedule = TEN_PERCENT) -> dict[str, int]:
    return {str(leg.kind): leg.amount_cents for leg in split(of, fees)}


def test_a_shirt_for_25_dollars() -> None:
    assert amounts(line()) == {
        "royalty": 250,
        "platform_fee": 250,
        "production_cost": 950,
        "store_revenue": 1050,
    }


def test_rates_are_floored_and_the_store_has_what_rounding_leaves() -> None:
    assert amounts(line(1999, unit_cost_cents=0)) == {
        "royalty": 199,
        "platform_fee": 199,
        "production_cost": 0,
        "store_revenue": 1601,
    }


def test_production_is_paid_for_each_piece() -> None:
    assert amounts(line(7500, quantity=3))["production_cost"] == 2850


def test_a_fixed_part_is_added_to_the_platforms_fee() -> None:
    assert amounts(line(), FeeSchedule(1000, 30))["platform_fee"] == 280


def test_payees_are_the_creator_and_the_store_and_nobody_else() -> None:
    payees: dict[LegKind, UUID | None] = {g.kind: g.payee_id for g in split(line(), TEN_PERCENT)}
    assert payees == {
        LegKind.ROYALTY: CREATOR,
        LegKind.PLATFORM_FEE: None,
        LegKind.PRODUCTION_COST: None,
        LegKind.STORE_REVENUE: STORE,
    }


def test_a_margin_of_nothing_is_allowed_and_of_less_is_refused() -> None:
    assert amounts(line(unit_cost_cents=2000))["store_revenue"] == 0
    with pytest.raises(MarginNegative) as refused:
        split(line(unit_cost_cents=2001), TEN_PERCENT)
    assert refused.value.facts == {
        "price_cents": 2500,
        "royalty_cents": 250,
        "platform_fee_cents": 250,
        "production_cost_cents": 2001,
    }


@given(
    st.integers(0, 10**10),
    st.integers(1, 1000),
    st.integers(0, 10**6),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.integers(0, 500),
)
def test_legs_sum_to_the_total_and_none_is_negative_or_the_line_is_refused(
    total: int, quantity: int, cost: int, royalty_bps: int, fee_bps: int, fixed: int
) -> None:
    sold, fees = (
        line(total, quantity=quantity, unit_cost_cents=cost, bps=royalty_bps),
        FeeSchedule(fee_bps, fixed),
    )
    taken = total * royalty_bps // 10_000 + total * fee_bps // 10_000 + fixed + cost * quantity
    if taken > total:
        with pytest.raises(MarginNegative):
            split(sold, fees)
        return
    legs = split(sold, fees)
    assert sum(leg.amount_cents for leg in legs) == total
    assert all(leg.amount_cents >= 0 for leg in legs)
    assert [computed_again(leg, among=legs) for leg in legs] == [leg.amount_cents for leg in legs]


def computed_again(leg: Leg, *, among: tuple[Leg, ...]) -> int:
    """A leg from its reason alone; the remainder from its reason and the other legs."""
    reason = leg.reason
    match reason.rule:
        case Rule.RATE:
            return reason.base * reason.rate // 10_000 + reason.fixed_cents
        case Rule.UNIT_COST:
            return reason.base * reason.rate
        case Rule.REMAINDER:
            return reason.base - sum(other.amount_cents for other in among if other is not leg)


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        (LegKind.ROYALTY, Reason(Rule.RATE, 1000, 2500), "10% royalty of $25.00"),
        (LegKind.ROYALTY, Reason(Rule.RATE, 1225, 999), "12.25% royalty of $9.99"),
        (
            LegKind.PLATFORM_FEE,
            Reason(Rule.RATE, 500, 2500, 30),
            "5% platform fee of $25.00 + $0.30",
        ),
        (LegKind.PRODUCTION_COST, Reason(Rule.UNIT_COST, 950, 2), "production, 2 × $9.50"),
        (
            LegKind.STORE_REVENUE,
            Reason(Rule.REMAINDER, 0, 2500),
            "store revenue: the rest of $25.00",
        ),
    ],
)
def test_every_leg_says_why(kind: LegKind, reason: Reason, words: str) -> None:
    assert explain(kind, reason, "usd") == words
