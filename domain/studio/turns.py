"""Whose step goes to an engine next, when there is not a place for every one.

Users of higher priority go first; among equals the one who was served longest ago, so that nobody
waits behind another's hundred. A user has at most so many jobs under way as the plan allows, a
provider so many attempts as it takes. Within a user the oldest goes first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class EngineName(NamedTuple):
    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A step that asks for its turn. `tried` are the engines of its attempts in this round;
    `avoid` are those that said to go elsewhere."""

    step_id: UUID
    job_id: UUID
    owner_id: UUID
    request: str
    priority: int
    concurrency: int
    started: bool
    ready_at: datetime
    tried: tuple[EngineName, ...] = ()
    avoid: tuple[EngineName, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    step_id: UUID
    job_id: UUID
    owner_id: UUID
    engine: EngineName


@dataclass(kw_only=True)
class Places:
    """What is free. `engines` of a request are in order of preference; `shut` are those whose
    circuit is open, `probing` those of which one attempt may be planned."""

    engines: Mapping[str, Sequence[EngineName]]
    limits: Mapping[str, int]
    in_flight: Mapping[str, int] = field(default_factory=dict)
    jobs_started: Mapping[UUID, int] = field(default_factory=dict)
    shut: frozenset[EngineName] = frozenset()
    probing: frozenset[EngineName] = frozenset()


def next_turns(
    waiting: Sequence[Waiting], places: Places, *, served: Mapping[UUID, datetime]
) -> list[Turn]:
    """Everything that can be given a place now, in the order in which it is served."""
    taken: Counter[str] = Counter(places.in_flight)
    started: Counter[UUID] = Counter(places.jobs_started)
    started_now: set[UUID] = set()
    probed: set[EngineName] = set()
    order: dict[UUID, int] = {}
    queues: dict[UUID, list[Waiting]] = {}
    for one in sorted(waiting, key=lambda one: (one.ready_at, one.step_id)):
        queues.setdefault(one.owner_id, []).append(one)

    def rank(owner_id: UUID) -> tuple[int, int, float, datetime, UUID]:
        queue = queues[owner_id]
        last = served.get(owner_id)
        return (
            -max(one.priority for one in queue),
            order.get(owner_id, 0),
            last.timestamp() if last else 0.0,
            queue[0].ready_at,
            owner_id,
        )

    turns: list[Turn] = []
    while True:
        turn = None
        for owner_id in sorted(queues, key=rank):
            turn = _first_feasible(
                queues[owner_id], places, taken, started[owner_id], started_now, probed
            )
            if turn is not None:
                break
        if turn is None:
            return turns
        turns.append(turn)
        order[turn.owner_id] = len(turns)
        taken[turn.engine.provider] += 1
        if turn.engine in places.probing:
            probed.add(turn.engine)
        queue = queues[turn.owner_id]
        chosen = next(one for one in queue if one.step_id == turn.step_id)
        if not chosen.started and chosen.job_id not in started_now:
            started[turn.owner_id] += 1
            started_now.add(chosen.job_id)
        queue.remove(chosen)
        if not queue:
            del queues[turn.owner_id]


def _first_feasible(
    queue: Sequence[Waiting],
    places: Places,
    taken: Counter[str],
    jobs_started: int,
    started_now: set[UUID],
    probed: set[EngineName],
) -> Turn | None:
    for one in queue:
        is_new = not one.started and one.job_id not in started_now
        if is_new and jobs_started >= one.concurrency:
            continue
        engine = _engine_for(one, places, taken, probed)
        if engine is not None:
            return Turn(one.step_id, one.job_id, one.owner_id, engine)
    return None


def _engine_for(
    one: Waiting, places: Places, taken: Counter[str], probed: set[EngineName]
) -> EngineName | None:
    """The one tried least, then the preferred, of those that have a place; one that sent us
    elsewhere only where there is no elsewhere."""
    every = places.engines.get(one.request, ())
    elsewhere = [engine for engine in every if engine not in one.avoid]
    usable = [
        engine
        for engine in elsewhere or every
        if engine not in places.shut
        and engine not in probed
        and taken[engine.provider] < places.limits.get(engine.provider, 1)
    ]
    return min(usable, key=one.tried.count, default=None)
