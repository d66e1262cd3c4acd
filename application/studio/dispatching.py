"""Give turns: which step goes to which engine now.

It is run whenever something is planned or ends, and every few seconds besides. One transaction at a
time decides, so that no place at a provider is given twice; what it decided is an attempt in the
same commit, and that attempt holds the place until it ends.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import Case, commit_cases, end_in_failure, reflect
from application.studio.workshop import AttemptMessage, Workshop, submit_topic
from domain.studio.attempt import Attempt
from domain.studio.circuit import Circuit
from domain.studio.job import JobStatus
from domain.studio.step import Step, StepStatus
from domain.studio.turns import EngineName, Places, Turn, Waiting, next_turns

PER_USER = 20
LOOK_AT = 500
"""How many waiting steps one pass looks at, of one user and in all."""


async def give_turns_for(messages: Sequence[Message], *, workshop: Workshop) -> None:
    """Handles `studio.give_turns`: one pass serves all of them."""
    await give_turns(workshop=workshop)


async def give_turns(*, workshop: Workshop) -> int:
    """Answers how many attempts were planned."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        await uow.turns.lock()
        waiting = await uow.turns.waiting(now=now, per_user=PER_USER, limit=LOOK_AT)
        if not waiting:
            return 0
        circuits = await uow.circuits.unclean()
        places = await _places(uow, waiting, circuits, workshop=workshop, at=now)
        owners = {one.owner_id for one in waiting}
        turns = next_turns(waiting, places, served=await uow.turns.served(owners))
        hopeless = [one for one in waiting if not places.engines.get(one.request)]
        cases = await _cases(uow, [turn.job_id for turn in turns] + [h.job_id for h in hopeless])
        planned = [turn for turn in turns if _plan(uow, turn, cases, workshop=workshop, at=now)]
        for one in hopeless:
            _fail(uow, one, cases, at=now)
        for circuit in circuits:
            if any(turn.engine == (circuit.provider, circuit.model) for turn in planned):
                held = await uow.circuits.of_engine(circuit.provider, circuit.model)
                if held is not None:
                    held.plan(at=now)
        await uow.turns.serve({turn.owner_id for turn in planned}, at=now)
        await commit_cases(uow, *cases.values(), live=workshop.live, at=now)
    return len(planned)


async def _places(
    uow: UnitOfWork,
    waiting: Sequence[Waiting],
    circuits: Sequence[Circuit],
    *,
    workshop: Workshop,
    at: datetime,
) -> Places:
    names = {EngineName(one.provider, one.model): one for one in circuits}
    return Places(
        engines=workshop.names,
        limits=workshop.places,
        in_flight=await uow.turns.in_flight(),
        jobs_started=await uow.turns.started({one.owner_id for one in waiting}),
        shut=frozenset(name for name, one in names.items() if not one.allows(at=at)),
        probing=frozenset(
            name for name, one in names.items() if one.open_until and one.allows(at=at)
        ),
    )


async def _cases(uow: UnitOfWork, job_ids: Sequence[UUID]) -> dict[UUID, Case]:
    """The jobs that something is about to happen to, locked; what changed since is seen."""
    jobs = {job.id: job for job in await uow.jobs.locked(set(job_ids))}
    cases = {job.id: Case(job=job, steps=[], attempts=[], before=job.face) for job in jobs.values()}
    for step in await uow.steps.of_jobs(jobs):
        cases[step.job_id].steps.append(step)
    for attempt in await uow.attempts.of_jobs(jobs):
        cases[attempt.job_id].attempts.append(attempt)
    return cases


def _ready(turn: Turn | Waiting, cases: dict[UUID, Case]) -> tuple[Case, Step] | None:
    case = cases.get(turn.job_id)
    if case is None or not case.job.is_open:
        return None
    step = next((one for one in case.steps if one.id == turn.step_id), None)
    if step is None or step.status is not StepStatus.READY:
        return None
    return case, step


def _plan(
    uow: UnitOfWork, turn: Turn, cases: dict[UUID, Case], *, workshop: Workshop, at: datetime
) -> bool:
    """Write an attempt down and ask for it to be submitted, both with the next commit."""
    found = _ready(turn, cases)
    if found is None:
        return False
    case, step = found
    earlier = [
        one for one in case.attempts if one.step_id == step.id and one.round == case.job.round
    ]
    attempt = Attempt(
        id=workshop.ids.new(),
        job_id=step.job_id,
        step_id=step.id,
        round=case.job.round,
        number=len(earlier) + 1,
        provider=turn.engine.provider,
        model=turn.engine.model,
        input_hash=step.input_hash or "",
        created_at=at,
    )
    uow.attempts.add(attempt)
    case.attempts.append(attempt)
    uow.outbox.add(submit_topic(step.type), AttemptMessage(attempt.id), key=str(attempt.id))
    step.take_turn(at=at)
    case.job.reach(JobStatus.QUEUED)
    reflect(case)
    return True


def _fail(uow: UnitOfWork, waiting: Waiting, cases: dict[UUID, Case], *, at: datetime) -> None:
    found = _ready(waiting, cases)
    if found is not None:
        case, step = found
        end_in_failure(uow, case, step, "no_engine", at=at)
