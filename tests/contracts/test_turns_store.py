"""Steps, turns and circuits: who waits, who has a place, who was served, how engines fare."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.studio.attempt import Attempt
from domain.studio.circuit import FAILURES_TO_OPEN, Circuit
from domain.studio.failures import FailureClass
from domain.studio.job import Job, JobStatus
from domain.studio.pipelines import JobKind, pipeline_of
from domain.studio.step import Step, StepResult, new_step
from domain.studio.turns import EngineName
from tests.builders import NOON
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

LATER = NOON + timedelta(hours=1)


def job_of(owner: UUID, *, priority: int = 0) -> tuple[Job, list[Step]]:
    """An image that is asked for; its first step is ready."""
    job = Job.accepted(job_id=uuid4(), kind=JobKind.IMAGE, owner_id=owner, at=NOON)
    job.priority, job.concurrency = priority, 3
    steps = [
        new_step(
            one,
            step_id=uuid4(),
            job_id=job.id,
            position=position,
            request="text_to_image" if position == 0 else None,
        )
        for position, one in enumerate(pipeline_of(JobKind.IMAGE))
    ]
    steps[0].open("hash", at=NOON)
    return job, steps


def attempt_of(step: Step, number: int = 1) -> Attempt:
    return Attempt(
        id=uuid4(),
        job_id=step.job_id,
        step_id=step.id,
        round=1,
        number=number,
        provider="fal",
        model="one",
        input_hash="hash",
        created_at=NOON,
    )


async def keep(new_uow: NewUnitOfWork, *jobs: tuple[Job, list[Step]]) -> None:
    async with new_uow() as uow:
        for job, steps in jobs:
            uow.jobs.add(job)
            for step in steps:
                uow.steps.add(step)
        await uow.commit()


async def test_steps_come_back_as_they_were_in_their_order(new_uow: NewUnitOfWork) -> None:
    job, steps = job_of(uuid4())
    steps[0].take_turn(at=NOON)
    steps[0].begin_ingesting()
    steps[0].succeed([StepResult("work/a", "image/png", 3, "abc", flagged=True)], at=NOON)
    steps[1].result_ids = (uuid4(),)
    await keep(new_uow, (job, steps))
    async with new_uow() as uow:
        found = await uow.steps.of_job(job.id)
        (locked,) = await uow.jobs.locked([job.id, uuid4()])
    assert [fields_of(step) for step in found] == [fields_of(step) for step in steps]
    assert locked.id == job.id


async def test_two_steps_do_not_share_a_position(new_uow: NewUnitOfWork) -> None:
    job, steps = job_of(uuid4())
    steps[1].position = 0
    with pytest.raises(AlreadyExists):
        await keep(new_uow, (job, steps))


async def test_those_wait_whose_time_has_come_and_whose_job_is_open(
    new_uow: NewUnitOfWork,
) -> None:
    owner, (early, later, ended) = uuid4(), [job_of(uuid4()) for _ in range(3)]
    early[0].owner_id = owner
    later[1][0].ready_at = LATER
    ended[0].cancel(at=NOON)
    await keep(new_uow, early, later, ended)
    async with new_uow() as uow:
        await uow.turns.lock()
        (now,) = await uow.turns.waiting(now=NOON, per_user=5, limit=10)
        both = await uow.turns.waiting(now=LATER, per_user=5, limit=10)
    assert (now.step_id, now.owner_id, now.request) == (early[1][0].id, owner, "text_to_image")
    assert (now.started, now.concurrency, now.tried, now.avoid) == (False, 3, (), ())
    assert {one.step_id for one in both} == {early[1][0].id, later[1][0].id}


async def test_the_first_of_each_user_are_seen_by_plan_and_by_who_was_served_long_ago(
    new_uow: NewUnitOfWork,
) -> None:
    busy, fresh, paying = uuid4(), uuid4(), uuid4()
    jobs = [job_of(busy), job_of(busy), job_of(fresh), job_of(paying, priority=1)]
    await keep(new_uow, *jobs)
    async with new_uow() as uow:
        await uow.turns.serve([busy], at=NOON - timedelta(hours=1))
        await uow.turns.serve([busy, paying], at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        seen = await uow.turns.waiting(now=NOON, per_user=1, limit=10)
        served = await uow.turns.served([busy, fresh])
    assert [one.owner_id for one in seen] == [paying, fresh, busy]
    assert served == {busy: NOON}


async def test_attempts_in_flight_hold_places_and_tell_what_was_tried(
    new_uow: NewUnitOfWork,
) -> None:
    owner = uuid4()
    (job, steps), (other, more) = job_of(owner), job_of(owner)
    job.reach(JobStatus.QUEUED)
    failed, planned = attempt_of(steps[0]), attempt_of(more[0])
    failed.begin(at=NOON)
    failed.fail("unavailable", "away", FailureClass.FAIL_OVER)
    await keep(new_uow, (job, steps), (other, more))
    async with new_uow() as uow:
        uow.attempts.add(failed)
        uow.attempts.add(planned)
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.turns.in_flight() == {"fal": 1}
        assert await uow.turns.started([owner]) == {owner: 1}
        waiting = await uow.turns.waiting(now=NOON, per_user=5, limit=10)
    one = next(one for one in waiting if one.job_id == job.id)
    assert (one.started, one.tried, one.avoid) == (
        True,
        (EngineName("fal", "one"),),
        (EngineName("fal", "one"),),
    )


async def test_an_engine_has_one_circuit_and_clean_ones_are_not_told(
    new_uow: NewUnitOfWork,
) -> None:
    async with new_uow() as uow:
        circuit = await uow.circuits.opened(Circuit(id=uuid4(), provider="fal", model="one"))
        for _ in range(FAILURES_TO_OPEN):
            circuit.fail(at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        again = await uow.circuits.opened(Circuit(id=uuid4(), provider="fal", model="one"))
        (unclean,) = await uow.circuits.unclean()
        assert again.id == unclean.id == circuit.id
        assert not unclean.allows(at=NOON)
        again.succeed()
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.circuits.unclean() == []
        assert await uow.circuits.of_engine("fal", "two") is None
