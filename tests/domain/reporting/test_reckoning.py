"""What a statement adds up to, whatever happened."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reporting.reckoning import Reckoning, reckon

STATES = ("pending", "available", "reserved", "disputed")
KINDS = ("sale", "release", "refund", "dispute_opened", "dispute_won", "dispute_lost", "transfer",
         "reversal", "payout", "payout_fee", "write_off", "something_new")  # fmt: skip

Moved = dict[tuple[str, str], int]


def of(moved: Moved, opening: dict[str, int] | None = None) -> dict[str, int]:
    """The figures that are not zero."""
    figures = asdict(reckon(opening or {}, moved)).items()
    return {name.removesuffix("_cents"): cents for name, cents in figures if cents}


SOLD: Moved = {("sale", "pending"): 1000}
OPENED: Moved = SOLD | {("dispute_opened", "pending"): -300, ("dispute_opened", "disputed"): 300}


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (SOLD, {"earned": 1000, "balance": 1000}),
        (
            SOLD | {("release", "pending"): -1000, ("release", "available"): 1000},
            {"earned": 1000, "balance": 1000},
        ),
        (OPENED, {"earned": 1000, "disputed": 300, "held": 300, "balance": 700}),
        (
            OPENED | {("dispute_won", "disputed"): -300, ("dispute_won", "available"): 300},
            {"earned": 1000, "balance": 1000},
        ),
        (
            OPENED | {("dispute_lost", "disputed"): -300},
            {"earned": 1000, "disputed": 300, "balance": 700},
        ),
        (
            OPENED | {("refund", "disputed"): -100, ("refund", "pending"): -50},
            {"earned": 1000, "refunded": 150, "disputed": 200, "held": 200, "balance": 650},
        ),
        (
            SOLD | {("transfer", "reserved"): -900, ("reversal", "available"): 200},
            {"earned": 1000, "paid": 700, "balance": 300},
        ),
        (
            SOLD | {("write_off", "available"): 5, ("payout_fee", "available"): -7},
            {"earned": 1000, "fees": 7, "other": 5, "balance": 998},
        ),
    ],
    ids=["sold", "released", "held", "won", "lost", "refunded while held", "paid", "the rest"],
)
def test_each_thing_that_happens_is_in_its_place(moved: Moved, told: dict[str, int]) -> None:
    assert of(moved) == told


def test_a_period_begins_with_what_was_there() -> None:
    opening = {"pending": 100, "available": -30, "disputed": 40}
    assert of({("dispute_lost", "disputed"): -40}, opening) == {"opening": 70, "balance": 70}
    assert of({}, opening) == {"opening": 70, "held": 40, "balance": 70}


amounts = st.integers(-10_000, 10_000)


@given(
    st.dictionaries(st.sampled_from(STATES), amounts),
    st.dictionaries(st.tuples(st.sampled_from(KINDS), st.sampled_from(STATES)), amounts),
)
def test_it_always_adds_up(opening: dict[str, int], moved: Moved) -> None:
    told: Reckoning = reckon(opening, moved)
    assert told.balance_cents == (
        told.opening_cents
        + told.earned_cents
        - told.refunded_cents
        - told.disputed_cents
        - told.paid_cents
        - told.fees_cents
        + told.other_cents
    )
    closing_cents = sum(opening.values()) + sum(moved.values())
    assert told.balance_cents + told.held_cents == closing_cents
