"""Whose turn it is, in any situation."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.studio.turns import EngineName, Places, Turn, Waiting, next_turns

AT = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, OTHER = EngineName("fal", "one"), EngineName("replicate", "two")


def waiting(number: int, owner: int = 1, **changes: object) -> Waiting:
    values: dict[str, object] = {
        "step_id": UUID(int=number),
        "job_id": UUID(int=1000 + number),
        "owner_id": UUID(int=owner),
        "request": "text_to_image",
        "priority": 0,
        "concurrency": 3,
        "started": False,
        "ready_at": AT + timedelta(seconds=number),
    }
    return Waiting(**{**values, **changes})  # type: ignore[arg-type]


def places(**changes: object) -> Places:
    values: dict[str, object] = {
        "engines": {"text_to_image": [FIRST, OTHER]},
        "limits": {"fal": 2, "replicate": 1},
    }
    return Places(**{**values, **changes})  # type: ignore[arg-type]


def numbers(turns: list[Turn]) -> list[int]:
    return [turn.step_id.int for turn in turns]


def test_who_was_served_longest_ago_goes_first_and_then_they_alternate() -> None:
    many = [waiting(number, owner=1) for number in range(1, 4)]
    few = [waiting(number, owner=2) for number in range(4, 6)]
    served = {UUID(int=1): AT, UUID(int=2): AT - timedelta(hours=1)}
    assert numbers(next_turns([*many, *few], places(), served=served)) == [4, 1, 5]


def test_a_higher_plan_goes_first() -> None:
    asked = [waiting(1), waiting(2, owner=2, priority=1)]
    assert numbers(next_turns(asked, places(), served={})) == [2, 1]


def test_a_job_under_way_goes_on_whatever_its_owner_has_under_way() -> None:
    asked = [waiting(1), waiting(2, started=True)]
    full = places(jobs_started={UUID(int=1): 3})
    assert numbers(next_turns(asked, full, served={})) == [2]


def test_the_least_tried_engine_goes_next_and_one_that_sent_us_away_last() -> None:
    tried = waiting(1, tried=(FIRST,))
    (turn,) = next_turns([tried], places(), served={})
    assert turn.engine == OTHER
    sent_away = waiting(1, tried=(FIRST, OTHER, OTHER), avoid=(FIRST,))
    (turn,) = next_turns([sent_away], places(), served={})
    assert turn.engine == OTHER


def test_an_engine_whose_circuit_is_open_is_not_asked_and_probed_by_one() -> None:
    asked = [waiting(1), waiting(2)]
    only_other = next_turns(asked, places(shut=frozenset({FIRST})), served={})
    assert [turn.engine for turn in only_other] == [OTHER]
    probed = next_turns(asked, places(probing=frozenset({FIRST})), served={})
    assert [turn.engine for turn in probed] == [FIRST, OTHER]


@given(
    asked=st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(1, 3), st.booleans()),
        max_size=25,
    ),
    limits=st.fixed_dictionaries({"fal": st.integers(0, 4), "replicate": st.integers(0, 3)}),
    in_flight=st.fixed_dictionaries({"fal": st.integers(0, 3)}),
    under_way=st.dictionaries(st.integers(1, 4), st.integers(0, 3)),
)
def test_no_bound_is_ever_exceeded_and_no_place_is_left_that_somebody_could_have(
    asked: list[tuple[int, int, int, bool]],
    limits: dict[str, int],
    in_flight: dict[str, int],
    under_way: dict[int, int],
) -> None:
    situation = [
        waiting(number, owner, priority=priority, concurrency=concurrency, started=started)
        for number, (owner, priority, concurrency, started) in enumerate(asked, 1)
    ]
    free = places(
        limits=limits,
        in_flight=in_flight,
        jobs_started={UUID(int=owner): count for owner, count in under_way.items()},
    )
    turns = next_turns(situation, free, served={})
    by_id = {one.step_id: one for one in situation}
    assert len(set(numbers(turns))) == len(turns)
    given_now = Counter(turn.engine.provider for turn in turns)
    for provider, limit in limits.items():
        assert given_now[provider] == 0 or in_flight.get(provider, 0) + given_now[provider] <= limit
    begun = Counter(turn.owner_id for turn in turns if not by_id[turn.step_id].started)
    for turn in turns:
        one = by_id[turn.step_id]
        if not one.started:
            most = max(w.concurrency for w in situation if w.owner_id == one.owner_id)
            assert begun[one.owner_id] + under_way.get(one.owner_id.int, 0) <= most
    full = all(in_flight.get(p, 0) + given_now[p] >= limit for p, limit in limits.items())
    served = {turn.step_id for turn in turns}
    left = [one for one in situation if one.step_id not in served]
    assert full or all(
        not one.started
        and begun[one.owner_id] + under_way.get(one.owner_id.int, 0) >= one.concurrency
        for one in left
    )
