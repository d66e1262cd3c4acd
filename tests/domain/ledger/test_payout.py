"""A payout only moves forwards, and whatever is heard in whatever order, its books add up."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import effects
from domain.ledger.payout import Payout, PayoutMismatch, PayoutSpeed, PayoutState, PayoutWord
from domain.ledger.payout_effects import payout_declined, payout_reserved, payout_step
from domain.ledger.payout_settings import PayoutMethod
from domain.ledger.posting import Account, Transaction
from tests.builders import NOON, USD

PAYEE = UUID(int=1)


def payout(method: PayoutMethod = PayoutMethod.BANK, *, fee_cents: int = 100) -> Payout:
    return Payout(
        id=UUID(int=9),
        payee_id=PAYEE,
        method=method,
        speed=PayoutSpeed.INSTANT,
        currency=USD,
        amount_cents=10_000,
        fee_cents=fee_cents,
        net_cents=10_000 - (fee_cents if method is PayoutMethod.BANK else 0),
        destination="ba_1",
        created_at=NOON,
    )


def heard(made: Payout, words: Sequence[PayoutWord]) -> list[Transaction]:
    posted = [payout_reserved(made, at=NOON)] if made.method is PayoutMethod.BANK else []
    for word in words:
        for step in made.hear(word, at=NOON):
            posted += payout_step(made, step, at=NOON)
    return posted


@given(
    words=st.lists(st.sampled_from(PayoutWord), max_size=8),
    fee_cents=st.integers(0, 9999),
    method=st.sampled_from(PayoutMethod),
)
def test_whatever_is_heard_each_effect_is_posted_once_and_nothing_is_lost(
    words: list[PayoutWord], fee_cents: int, method: PayoutMethod
) -> None:
    made = payout(method, fee_cents=fee_cents)

    posted = heard(made, words)

    assert len({one.effect_key for one in posted}) == len(posted)
    sums = effects.balances(posted)
    available = sums.get((Account.PAYABLE_AVAILABLE, PAYEE), 0)
    if method is PayoutMethod.BANK:
        expected = {
            PayoutState.RESERVED: -10_000,
            PayoutState.SENT: -10_000,
            PayoutState.PAID: -10_000,
            PayoutState.FAILED: 0,
            PayoutState.RETURNED: -fee_cents,
        }
        reserved = 10_000 if made.state is PayoutState.RESERVED else 0
        assert sums.get((Account.PAYABLE_RESERVED, PAYEE), 0) == reserved
        in_transit = made.net_cents if made.state is PayoutState.SENT else 0
        assert sums.get((Account.PAYOUTS_IN_TRANSIT, None), 0) == in_transit
        gone = made.net_cents if made.state is PayoutState.PAID else 0
        assert sums.get((Account.PAYOUT_CLEARING, None), 0) == gone
    else:
        taken = made.state in (PayoutState.SENT, PayoutState.PAID, PayoutState.RETURNED)
        expected = dict.fromkeys(PayoutState, -fee_cents if taken else 0)
    assert available == expected[made.state]


@given(words=st.lists(st.sampled_from(PayoutWord), min_size=1, max_size=8))
def test_an_end_is_an_end(words: list[PayoutWord]) -> None:
    made = payout()
    heard(made, words)
    if made.state in (PayoutState.FAILED, PayoutState.RETURNED):
        before = (made.state, made.reason, made.ended_at)
        for word in PayoutWord:
            assert made.hear(word, at=NOON + timedelta(days=1)) == []
        assert (made.state, made.reason, made.ended_at) == before


def test_what_was_declined_is_available_again() -> None:
    made = payout()
    made.refuse("account_closed", at=NOON)

    sums = effects.balances([payout_reserved(made, at=NOON), *payout_declined(made, at=NOON)])

    assert sums == {}


def test_what_was_taken_cannot_be_declined() -> None:
    made = payout()
    made.hear(PayoutWord.UNDER_WAY, at=NOON)

    with pytest.raises(ValueError, match="not taken"):
        made.refuse("account_closed", at=NOON)


def test_no_answer_is_unknown_until_there_is_one() -> None:
    made = payout()
    made.try_to_send(at=NOON)
    made.no_answer("it timed out")
    assert (made.state, made.reason) == (PayoutState.UNKNOWN, "it timed out")

    made.hear(PayoutWord.UNDER_WAY, at=NOON)
    assert (made.state, made.reason) == (PayoutState.SENT, None)
    made.no_answer("late")
    assert made.state is PayoutState.SENT


@pytest.mark.parametrize(("hours", "ask_first"), [(0, False), (23, False), (24, True)])
def test_after_a_day_a_key_may_be_forgotten(hours: int, *, ask_first: bool) -> None:
    made = payout()
    assert not made.ask_before_sending(at=NOON)
    made.try_to_send(at=NOON)

    assert made.ask_before_sending(at=NOON + timedelta(hours=hours)) is ask_first


@pytest.mark.parametrize(("cents", "currency"), [(9899, "usd"), (9900, "eur")])
def test_another_amount_is_somebodys_to_look_at(cents: int, currency: str) -> None:
    with pytest.raises(PayoutMismatch):
        payout().require_same(amount_cents=cents, currency=currency)
