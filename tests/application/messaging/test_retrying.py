"""A failed message is tried again later and later, then parked for a person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.messaging.retrying import RetryPolicy, described, setback_of
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.messages import Message, ParkMessage, RetryLater, Setback

NOW = datetime(2026, 5, 1, tzinfo=UTC)
POLICY = RetryPolicy()


def message(*, attempts: int = 1, age: timedelta = timedelta()) -> Message:
    return Message(
        id=UUID(int=1),
        box="outbox",
        topic="greet",
        payload=b"{}",
        attempts=attempts,
        created_at=NOW - age,
    )


def after(error: Exception, *, jitter: float = 1.0, **facts: object) -> Setback:
    return setback_of(
        message(**facts),  # type: ignore[arg-type]
        error,
        policy=POLICY,
        now=NOW,
        jitter=lambda: jitter,
    )


@given(attempts=st.integers(1, 7), jitter=st.floats(0, 1))
def test_a_failure_is_tried_again_within_the_growing_ceiling(attempts: int, jitter: float) -> None:
    setback = after(ValueError("no"), attempts=attempts, jitter=jitter)
    assert setback.state == "pending"
    assert setback.counted
    ceiling = min(timedelta(seconds=5) * 4 ** (attempts - 1), timedelta(hours=1))
    assert NOW <= setback.due_at <= NOW + ceiling


def test_the_eighth_failure_parks() -> None:
    assert after(ValueError("no"), attempts=7).state == "pending"
    assert after(ValueError("no"), attempts=8).state == "parked"


def test_not_yet_is_no_failure() -> None:
    setback = after(RetryLater("the order is not there", delay=timedelta(minutes=2)), attempts=8)
    assert (setback.state, setback.counted) == ("pending", False)
    assert setback.due_at == NOW + timedelta(minutes=2)


def test_not_yet_for_days_is_one() -> None:
    error = RetryLater("the order is not there", delay=timedelta(minutes=2))
    assert after(error, attempts=2, age=POLICY.patience).counted
    assert after(error, attempts=8, age=POLICY.patience).state == "parked"


@pytest.mark.parametrize(
    "error",
    [
        ParkMessage("the payee is closed"),
        Rejected("declined", provider="stripe", reason="account_closed"),
    ],
)
def test_what_no_retry_will_help_is_parked_at_once(error: Exception) -> None:
    assert after(error).state == "parked"


@pytest.mark.parametrize(("asked_s", "waited_s"), [(90.0, 90), (-1.0, 5), (1e9, 3600), (None, 5)])
def test_a_provider_may_ask_for_a_longer_wait(asked_s: float | None, waited_s: int) -> None:
    error = Unavailable("busy", provider="fal", retry_after_s=asked_s)
    assert after(error).due_at == NOW + timedelta(seconds=waited_s)


def test_our_own_words_are_kept_and_foreign_ones_are_not() -> None:
    ours = OutcomeUnknown("No answer came.", provider="stripe")
    assert described(ours) == "OutcomeUnknown: No answer came."
    try:
        raise ValueError("invalid literal: card 4242 4242 4242 4242")
    except ValueError as foreign:
        text = described(foreign)
    assert text.startswith("ValueError in test_our_own_words")
    assert "4242" not in text
