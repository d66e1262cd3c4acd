"""Who gets what of a line: exact to the cent, explained, never below zero."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.royalty import Royalty, RoyaltyBase, Share, Step, Tier
from domain.ordering.fees import FeeRate
from domain.ordering.split import (
    Leg,
    LegKind,
    Line,
    MarginNegative,
    Reason,
    Rule,
    explain,
    platform_fee_cents,
    split,
)

CREATOR, STORE, PARTNER = uuid4(), uuid4(), uuid4()
TEN_PERCENT = FeeRate(1000)


def line(
    net_cents: int = 2500, *, quantity: int = 1, unit_cost_cents: int = 950, bps: int = 1000
) -> Line:
    return Line(net_cents, quantity, unit_cost_cents, Royalty(bps), CREATOR, STORE)


def amounts(of: Line, fee: FeeRate = TEN_PERCENT) -> dict[str, int]:
    return {str(leg.kind): leg.amount_cents for leg in split(of, fee)}


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
    assert amounts(line(), FeeRate(1000, 30))["platform_fee"] == 280


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


def test_tiers_are_marginal_from_what_was_sold_before() -> None:
    tiered = Royalty(1000, tiers=(Tier(10_000, 1200), Tier(20_000, 1500)), sold_before_cents=9_000)
    sold = line(12_000, unit_cost_cents=0)._replace(royalty=tiered)

    royalty = split(sold, TEN_PERCENT)[0]

    # 9,000 to 10,000 at 10 %, to 20,000 at 12 %, to 21,000 at 15 %
    assert royalty.reason.steps == (Step(1_000, 1000), Step(10_000, 1200), Step(1_000, 1500))
    assert royalty.amount_cents == 100 + 1_200 + 150


def test_a_flat_amount_is_added_for_each_piece() -> None:
    sold = line(6_000, quantity=3)._replace(royalty=Royalty(1000, flat_cents=25))
    assert split(sold, TEN_PERCENT)[0].amount_cents == 600 + 75


def test_the_base_may_hold_the_tax_or_leave_out_the_platforms_fee() -> None:
    sold = line(10_000)._replace(tax_cents=800)
    gross = sold._replace(royalty=Royalty(1000, RoyaltyBase.GROSS))
    after_fees = sold._replace(royalty=Royalty(1000, RoyaltyBase.NET_OF_FEES))
    assert [split(one, TEN_PERCENT)[0].amount_cents for one in (sold, gross, after_fees)] == [
        1000,
        1080,
        900,
    ]


def test_collaborators_share_a_royalty_to_the_cent() -> None:
    shared = Royalty(1000, shares=(Share(CREATOR, 6667), Share(PARTNER, 3333)))
    legs = split(line(2509)._replace(royalty=shared), TEN_PERCENT)
    royalties = [(leg.payee_id, leg.amount_cents) for leg in legs if leg.kind is LegKind.ROYALTY]
    assert royalties == [(CREATOR, 167), (PARTNER, 83)]


def test_a_guarantee_is_recouped_before_a_royalty_is_owed_again() -> None:
    sold = line(2500)._replace(royalty=Royalty(1000, recoup_cents=100))
    assert amounts(sold)["royalty"] == 150
    assert amounts(sold)["store_revenue"] == 1050 + 100
    assert amounts(line()._replace(royalty=Royalty(1000, recoup_cents=999)))["royalty"] == 0


def test_a_discount_of_the_platform_comes_out_of_its_fee_alone() -> None:
    sold = line(2300)._replace(platform_discount_cents=200)
    assert amounts(sold) == {
        "royalty": 250,
        "platform_fee": 50,
        "production_cost": 950,
        "store_revenue": 1050,
    }
    with pytest.raises(ValueError, match="exceeds the platform's fee"):
        split(line(2200)._replace(platform_discount_cents=300), TEN_PERCENT)


def test_shipping_and_tax_are_passed_on() -> None:
    sold = line()._replace(shipping_cents=490, tax_cents=221)
    assert amounts(sold) == amounts(line()) | {"shipping": 490, "tax": 221}


bps = st.integers(0, 10_000)
royalties = st.builds(
    Royalty,
    rate_bps=bps,
    base=st.sampled_from(RoyaltyBase),
    tiers=st.lists(
        st.builds(Tier, st.integers(1, 10**8), bps), max_size=4, unique_by=lambda tier: tier[0]
    ).map(tuple),
    flat_cents=st.integers(0, 500),
    shares=st.just(()) | bps.map(lambda b: (Share(CREATOR, b), Share(PARTNER, 10_000 - b))),
    sold_before_cents=st.integers(0, 10**9),
    recoup_cents=st.integers(0, 10_000),
)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, FeeRate]:
    fee = FeeRate(draw(bps), draw(st.integers(0, 500)))
    gross = draw(st.integers(0, 10**10))
    most = min(gross, platform_fee_cents(gross, fee))
    borne = draw(st.integers(0, most))
    return Line(
        net_cents=gross - borne,
        quantity=draw(st.integers(1, 1000)),
        unit_cost_cents=draw(st.integers(0, 10**6)),
        royalty=draw(royalties),
        creator_id=CREATOR,
        store_id=STORE,
        platform_discount_cents=borne,
        shipping_cents=draw(st.integers(0, 10**5)),
        tax_cents=draw(st.integers(0, 10**6)),
    ), fee


@given(lines())
def test_legs_sum_to_what_is_paid_and_none_is_negative_or_the_line_is_refused(
    drawn: tuple[Line, FeeRate],
) -> None:
    sold, fee = drawn
    try:
        legs = split(sold, fee)
    except MarginNegative as refused:
        taken = [v for k, v in refused.facts.items() if k != "price_cents" and isinstance(v, int)]
        assert sum(taken) > sold.net_cents + sold.platform_discount_cents
        return
    paid = sold.net_cents + sold.shipping_cents + sold.tax_cents
    assert sum(leg.amount_cents for leg in legs) == paid
    assert all(leg.amount_cents >= 0 for leg in legs)
    for leg in legs:
        assert abs(computed_again(leg, among=legs) - leg.amount_cents) <= (
            1 if leg.reason.share_bps != 10_000 else 0
        )


def computed_again(leg: Leg, *, among: tuple[Leg, ...]) -> int:
    """A leg from its reason alone; the remainder from its reason and the legs that share it.

    A collaborator's share is within a cent: the odd cents go to the largest remainders.
    """
    reason = leg.reason
    match reason.rule:
        case Rule.RATE:
            whole = reason.base * reason.rate // 10_000 + reason.fixed_cents - reason.less_cents
            return whole * reason.share_bps // 10_000
        case Rule.TIERS:
            rated = sum(cents * rate for cents, rate in reason.steps) // 10_000
            whole = rated + reason.fixed_cents - reason.less_cents
            return whole * reason.share_bps // 10_000
        case Rule.UNIT_COST:
            return reason.base * reason.rate
        case Rule.QUOTED:
            return leg.amount_cents
        case Rule.REMAINDER:
            passed_on = {LegKind.SHIPPING, LegKind.TAX, LegKind.STORE_REVENUE}
            borne = next(o.reason.less_cents for o in among if o.kind is LegKind.PLATFORM_FEE)
            others = sum(other.amount_cents for other in among if other.kind not in passed_on)
            return reason.base - borne - others


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
            LegKind.PLATFORM_FEE,
            Reason(Rule.RATE, 1000, 2500, less_cents=200),
            "10% platform fee of $25.00 − $2.00 platform discount",
        ),
        (
            LegKind.ROYALTY,
            Reason(
                Rule.TIERS, 0, 3000, 50, share_bps=6000, steps=(Step(1000, 1000), Step(2000, 1250))
            ),
            "60% share of royalty: 10% of $10.00 + 12.5% of $20.00 + $0.50",
        ),
        (
            LegKind.ROYALTY,
            Reason(Rule.RATE, 1000, 2500, less_cents=100),
            "10% royalty of $25.00 − $1.00 recouped from the guarantee",
        ),
        (LegKind.SHIPPING, Reason(Rule.QUOTED, 0, 490), "shipping as quoted"),
        (LegKind.TAX, Reason(Rule.QUOTED, 0, 2500), "tax as quoted on $25.00"),
        (
            LegKind.STORE_REVENUE,
            Reason(Rule.REMAINDER, 0, 2500),
            "store revenue: the rest of $25.00",
        ),
    ],
)
def test_every_leg_says_why(kind: LegKind, reason: Reason, words: str) -> None:
    assert explain(kind, reason, "usd") == words
