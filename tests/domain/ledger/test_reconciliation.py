"""What counts as a difference between two books, and what does not."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.ledger.reconciliation import (
    GRACE,
    AlreadyResolved,
    Booked,
    Difference,
    DifferenceState,
    Fault,
    Finding,
    Moved,
    Movement,
    Phase,
    ReconciliationRun,
    RunMovedOn,
    Subject,
    TooYoung,
    compare,
)
from domain.shared.money import Currency

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=5)
USD = Currency("usd")
OURS = UUID(int=5)
SUBJECT = Subject(Movement.TRANSFER, "tr_1", USD)


def moved(cents: int = -100, *, at: datetime = LONG_AGO, our_id: UUID | None = OURS) -> Moved:
    return Moved(
        id=f"txn_{cents}_{at}",
        movement=Movement.TRANSFER,
        source="tr_1",
        our_id=our_id,
        amount_cents=cents,
        currency=USD,
        at=at,
    )


def booked(cents: int = -100, *, source: str = "tr_1", at: datetime = LONG_AGO) -> Booked:
    return Booked(
        effect_key="transfer:1:2",
        movement=Movement.TRANSFER,
        source=source,
        our_id=OURS,
        amount_cents=cents,
        currency=USD,
        at=at,
    )


def fault_of(theirs: list[Moved], ours: list[Booked]) -> Fault:
    found = compare(SUBJECT, theirs, ours, now=NOW)
    assert isinstance(found, Finding)
    return found.fault


def test_what_both_sides_have_with_one_amount_is_no_difference() -> None:
    assert compare(SUBJECT, [moved()], [booked()], now=NOW) is None
    assert compare(SUBJECT, [moved(-60), moved(-40)], [booked()], now=NOW) is None
    assert compare(SUBJECT, [], [], now=NOW) is None


def test_each_fault_has_its_name() -> None:
    assert fault_of([moved()], []) is Fault.NOT_BOOKED
    assert fault_of([], [booked()]) is Fault.UNKNOWN_THERE
    assert fault_of([moved(-90)], [booked()]) is Fault.AMOUNT
    assert fault_of([moved(), moved()], [booked()]) is Fault.DOUBLED
    assert fault_of([moved()], [booked(source="tr_0")]) is Fault.DOUBLED


@pytest.mark.parametrize(
    ("cents", "fault", "state"),
    [
        ([-100], Fault.WITHDRAWN, DifferenceState.NOTED),
        ([-100, 100], Fault.WITHDRAWN, DifferenceState.NOTED),
        ([100], Fault.NOT_BOOKED, DifferenceState.OPEN),
    ],
)
def test_the_operators_own_withdrawal_is_noted_and_money_taken_from_the_bank_is_not(
    cents: list[int], fault: Fault, state: DifferenceState
) -> None:
    subject = Subject(Movement.PAYOUT, "po_1", USD)
    theirs = [
        dataclasses.replace(moved(one, our_id=None), movement=Movement.PAYOUT, source="po_1")
        for one in cents
    ]

    found = compare(subject, theirs, [], now=NOW)

    assert isinstance(found, Finding)
    assert found.fault is fault
    kept = Difference.of(found, difference_id=OURS, run_id=OURS, at=NOW)
    assert kept.state is state


def test_what_was_open_is_noted_once_it_is_known_for_what_it_is() -> None:
    subject = Subject(Movement.PAYOUT, "po_1", USD)
    theirs = [dataclasses.replace(moved(our_id=None), movement=Movement.PAYOUT, source="po_1")]
    found = compare(subject, theirs, [], now=NOW)
    assert isinstance(found, Finding)
    kept = Difference.of(found, difference_id=OURS, run_id=OURS, at=NOW)
    kept.state = DifferenceState.OPEN

    kept.seen_again(found, at=NOW)

    assert kept.state is DifferenceState.NOTED


def test_movements_that_cancel_each_other_unbooked_are_a_difference() -> None:
    assert fault_of([moved(-100), moved(100)], []) is Fault.NOT_BOOKED


@pytest.mark.parametrize("age", [timedelta(0), GRACE - timedelta(seconds=1)])
def test_what_is_too_young_on_either_side_is_looked_at_later(age: timedelta) -> None:
    young = NOW - age

    assert compare(SUBJECT, [moved(at=young)], [], now=NOW) == TooYoung(SUBJECT)
    assert compare(SUBJECT, [], [booked(at=young)], now=NOW) == TooYoung(SUBJECT)
    assert compare(SUBJECT, [moved(), moved(-5, at=young)], [booked()], now=NOW) == TooYoung(
        SUBJECT
    )
    assert isinstance(compare(SUBJECT, [moved(at=NOW - GRACE)], [], now=NOW), Finding)


def difference() -> Difference:
    finding = compare(SUBJECT, [moved()], [], now=NOW)
    assert isinstance(finding, Finding)
    return Difference.of(finding, difference_id=UUID(int=1), run_id=UUID(int=2), at=NOW)


def test_an_explanation_holds_until_the_amounts_change() -> None:
    one = difference()
    one.explain("It is right.", by=UUID(int=3), at=NOW)
    same = compare(SUBJECT, [moved()], [], now=NOW)
    other = compare(SUBJECT, [moved(-101)], [], now=NOW)
    assert isinstance(same, Finding)
    assert isinstance(other, Finding)

    states = []
    for finding in (same, other):
        one.seen_again(finding, at=NOW)
        states.append(one.state)
    assert states == [DifferenceState.EXPLAINED, DifferenceState.OPEN]


def test_what_is_resolved_cannot_be_explained_and_opens_when_seen_again() -> None:
    one = difference()
    one.resolve(at=NOW)
    with pytest.raises(AlreadyResolved):
        one.explain("It is right.", by=UUID(int=3), at=NOW)

    finding = compare(SUBJECT, [moved()], [], now=NOW)
    assert isinstance(finding, Finding)
    one.seen_again(finding, at=NOW)
    assert (one.state, one.resolved_at) == (DifferenceState.OPEN, None)


def test_a_run_goes_through_its_phases_and_refuses_who_comes_late() -> None:
    run = ReconciliationRun(id=UUID(int=1), day=date(2026, 11, 20), started_at=NOW)
    run.advance(seen=(Phase.FETCH, None), cursor="a")
    with pytest.raises(RunMovedOn):
        run.advance(seen=(Phase.FETCH, None), cursor="b")
    run.advance(seen=(Phase.FETCH, "a"), cursor=None)
    phases = [run.phase]
    while run.phase is not Phase.DONE:
        run.advance(seen=(run.phase, None), cursor=None)
        phases.append(run.phase)
    assert phases == [Phase.THEIRS, Phase.OURS, Phase.OPEN, Phase.HELD, Phase.DONE]


def test_a_run_begun_before_the_day_had_settled_does_not_know_it_all() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    run = ReconciliationRun(
        id=UUID(int=1), day=date(2026, 11, 20), phase=Phase.DONE, started_at=midnight + GRACE
    )

    assert run.knows_all_of_its_day(day_end=midnight)
    run.started_at = midnight
    assert not run.knows_all_of_its_day(day_end=midnight)
    run.restart(at=NOW)
    assert (run.phase, run.attempt, run.started_at) == (Phase.FETCH, 2, NOW)
