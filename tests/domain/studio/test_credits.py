"""What a wallet promises: grant first, what was bought for good, and nothing below zero."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.studio.credits import CreditKind, CreditsExhausted, Hold, Wallet, next_reset
from tests.builders import NOON

JOB = UUID(int=1)
TOMORROW = NOON + timedelta(days=1)


def wallet(*, grant: int = 0, bought: int = 0) -> Wallet:
    made = Wallet(user_id=uuid4())
    made.open_day(NOON, grant=grant)
    if bought:
        made.buy(bought, purchase_id=uuid4(), at=NOON)
    return made


def reserved(of: Wallet, credits: int) -> Hold:
    return of.reserve(credits, job_id=JOB, round=1, at=NOON)


def state(of: Wallet) -> tuple[int, int, int]:
    return of.daily, of.bought, of.held


def test_work_takes_from_the_grant_first() -> None:
    one = wallet(grant=10, bought=50)
    hold = reserved(one, 30)
    assert (hold.daily, hold.bought) == (10, 20)
    assert state(one) == (0, 30, 30)


def test_more_than_is_there_is_refused_and_changes_nothing() -> None:
    one = wallet(grant=10, bought=5)
    with pytest.raises(CreditsExhausted) as refused:
        reserved(one, 16)
    assert refused.value.facts["balance"] == 15
    assert state(one) == (10, 5, 0)


@pytest.mark.parametrize(
    ("cost", "left"),
    [(0, (10, 50, 0)), (4, (6, 50, 0)), (10, (0, 50, 0)), (25, (0, 35, 0)), (99, (0, 30, 0))],
)
def test_what_was_not_used_goes_back_to_where_it_came_from(
    cost: int, left: tuple[int, int, int]
) -> None:
    one = wallet(grant=10, bought=50)
    one.settle(reserved(one, 30), cost, at=NOON)
    assert state(one) == left


def test_what_has_lapsed_meanwhile_does_not_come_back() -> None:
    one = wallet(grant=10, bought=50)
    hold = reserved(one, 30)
    one.release(hold, at=TOMORROW)
    assert state(one) == (0, 50, 0)
    assert (one.fresh[-1].kind, one.fresh[-1].lapsed) == (CreditKind.RELEASE, 10)


def test_a_hold_is_closed_once() -> None:
    one = wallet(grant=10)
    hold = reserved(one, 8)
    one.settle(hold, 3, at=NOON)
    one.release(hold, at=NOON)
    one.settle(hold, 8, at=NOON)
    assert state(one) == (7, 0, 0)
    assert hold.spent == 3


def test_a_grant_lapses_with_its_day_and_the_next_comes_once() -> None:
    one = wallet(grant=10, bought=5)
    reserved(one, 4)
    for _ in range(3):
        one.open_day(TOMORROW, grant=20)
    assert state(one) == (20, 5, 4)
    kinds = [entry.kind for entry in one.fresh]
    assert kinds == ["grant", "purchase", "reserve", "expire", "grant"]


def test_a_better_plan_gives_the_difference_and_a_lesser_one_takes_nothing() -> None:
    one = wallet(grant=10)
    one.open_day(NOON, grant=100)
    one.open_day(NOON, grant=10)
    one.open_day(NOON, grant=100)
    assert state(one) == (100, 0, 0)


def test_a_clock_that_is_behind_grants_nothing() -> None:
    one = wallet(grant=10)
    one.open_day(NOON - timedelta(days=1), grant=10)
    assert (one.day, one.daily) == (NOON.date(), 10)


def test_only_what_was_bought_and_not_spent_is_taken_back() -> None:
    one = wallet(grant=10, bought=50)
    reserved(one, 40)
    assert one.take_back(50, purchase_id=uuid4(), at=NOON) == 20
    assert state(one) == (0, 0, 40)
    assert one.take_back(50, purchase_id=uuid4(), at=NOON) == 0


def test_nobody_takes_by_hand_what_is_not_there() -> None:
    one = wallet(grant=10, bought=5)
    one.adjust(-5, reason="test", at=NOON)
    with pytest.raises(CreditsExhausted):
        one.adjust(-1, reason="test", at=NOON)
    assert state(one) == (10, 0, 0)


def test_every_entry_continues_the_one_before() -> None:
    one = wallet(grant=10, bought=50)
    one.settle(reserved(one, 30), 12, at=NOON)
    one.lapse(TOMORROW)
    daily = bought = held = 0
    for number, entry in enumerate(one.fresh, start=1):
        daily, bought, held = daily + entry.daily, bought + entry.bought, held + entry.held
        assert entry.number == number
        assert (entry.daily_after, entry.bought_after, entry.held_after) == (daily, bought, held)
    assert (daily, bought, held) == state(one)


def test_the_next_day_begins_at_midnight_utc() -> None:
    assert next_reset(NOON).isoformat() == f"{TOMORROW.date()}T00:00:00+00:00"
