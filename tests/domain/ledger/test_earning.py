"""What a payee earned is held, released once, given back in part, and asked back after transfer."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.earning import Earning, EarningState, Transfer, transferable_cents
from tests.builders import NOON, USD


def earning(amount_cents: int = 1000) -> Earning:
    return Earning(
        order_id=uuid4(),
        payee_id=uuid4(),
        currency=USD,
        amount_cents=amount_cents,
        release_at=NOON + timedelta(days=7),
    )


def transfer(amount_cents: int = 1000) -> Transfer:
    return Transfer(
        id=uuid4(),
        order_id=uuid4(),
        payee_id=uuid4(),
        account_id="acct_1",
        charge_id="ch_1",
        currency=USD,
        amount_cents=amount_cents,
        created_at=NOON,
    )


def test_the_hold_ends_once() -> None:
    held = earning()
    assert held.release(at=NOON) == 1000
    assert held.state is EarningState.RELEASED
    with pytest.raises(ValueError, match="only a pending earning"):
        held.release(at=NOON)


def test_what_was_given_back_during_the_hold_is_not_released() -> None:
    held = earning()
    held.give_back(400)
    assert held.release(at=NOON) == 600


def test_an_earning_that_was_given_back_whole_needs_no_transfer() -> None:
    held = earning()
    held.give_back(1000)
    assert held.release(at=NOON) == 0
    assert held.state is EarningState.SETTLED


@pytest.mark.parametrize("cents", [-1, 601])
def test_nobody_gives_back_more_than_was_earned(cents: int) -> None:
    held = earning()
    held.give_back(400)
    with pytest.raises(ValueError, match="more than it earned"):
        held.give_back(cents)


def test_a_reversal_claims_no_more_than_is_left_of_the_transfer() -> None:
    sent = transfer()
    assert [sent.plan_reversal(cents) for cents in (600, 600, 600)] == [600, 400, 0]
    assert sent.reversal_cents == 1000


@pytest.mark.parametrize(
    ("earned", "available", "sent"),
    [(1000, 1000, 1000), (1000, 700, 700), (1000, 0, 0), (1000, -200, 0), (1000, 5000, 1000)],
    ids=["no debt", "a debt is netted", "all of it", "and more", "others' earnings stay"],
)
def test_debts_are_netted_first(earned: int, available: int, sent: int) -> None:
    assert transferable_cents(earned_cents=earned, available_cents=available) == sent


@given(st.integers(0, 10**6), st.integers(-(10**6), 10**6))
def test_a_transfer_never_makes_a_debt(earned: int, available: int) -> None:
    sent = transferable_cents(earned_cents=earned, available_cents=available)
    assert 0 <= sent <= earned
    assert sent == 0 or sent <= available


def test_a_fee_comes_from_the_hold_and_what_the_hold_lacks_from_elsewhere() -> None:
    held = earning()
    assert held.bear_fee(50) == 50
    assert (held.net_cents, held.held_cents) == (950, 950)
    assert held.give_back(900) == 900
    assert held.give_back(100) == 50
    assert held.net_cents == 0
    assert held.bear_fee(10) == 0


def test_a_released_earning_holds_nothing() -> None:
    released = earning()
    released.release(at=NOON)
    assert released.bear_fee(50) == 0
    assert released.give_back(1000) == 0
