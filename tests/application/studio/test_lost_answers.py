"""Calls that were sent, or may have been, and whose answer nobody has: never a second bill."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from adapters.memory.images import blank_png
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.live import JobFailed
from application.studio.completion import answer_key
from application.studio.submission import submit_attempt
from domain.studio.attempt import AttemptStatus
from domain.studio.job import JobStatus
from tests.application.studio.world import World

DOWN = Unavailable("away", provider="memory")
LOST = OutcomeUnknown("no answer", provider="memory")


async def test_a_lost_answer_is_cleared_up_by_the_callback(studio: World) -> None:
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    (attempt,) = await studio.attempts(accepted.id)
    assert attempt.status is AttemptStatus.UNKNOWN

    request_id = await studio.finish_at_provider()
    assert not await studio.call_back(request_id)
    assert await studio.call_back(request_id, attempt_id=attempt.id)
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    assert len(studio.generator.submissions) == 1


async def test_what_was_taken_without_an_answer_is_found_in_the_providers_list(
    studio: World,
) -> None:
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=2))
    (attempt,) = await studio.attempts(accepted.id)
    assert attempt.status is AttemptStatus.ACTIVE
    assert attempt.request_id == studio.generator.submissions[0].request_id

    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    assert len(studio.generator.submissions) == 1


async def test_what_was_never_taken_is_sent_again_at_once(studio: World) -> None:
    accepted = await studio.ask()
    await studio.give_turns()
    await dies_before_sending(studio, accepted.id)
    await studio.poll_later(timedelta(seconds=80))
    assert len(await studio.attempts(accepted.id)) == 1

    await studio.poll_later(timedelta(seconds=20))
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    first, second = await studio.attempts(accepted.id)
    assert (first.status, second.status) == (AttemptStatus.ABANDONED, AttemptStatus.ACTIVE)
    assert len(studio.generator.submissions) == 1


async def test_while_the_list_cannot_be_read_nothing_is_sent_again(studio: World) -> None:
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    for _ in range(20):
        studio.generator.fail_next(DOWN)
        await studio.poll_later(timedelta(minutes=2))
        await studio.work()
    assert len(await studio.attempts(accepted.id)) == 1
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED


async def test_where_nobody_can_be_asked_a_lost_answer_is_waited_for_and_never_paid_twice(
    studio: World,
) -> None:
    studio.generator.lists_jobs = False
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    for _ in range(4):
        await studio.poll_later(timedelta(minutes=2))
        await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED

    await studio.poll_later(timedelta(minutes=3))
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "outcome_unknown")
    assert (seen.held, seen.spent) == (0, 0)
    assert len(studio.generator.submissions) == 1


async def test_what_was_given_up_and_comes_late_is_there_when_the_job_is_started_again(
    studio: World,
) -> None:
    studio.generator.lists_jobs = False
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=11))
    (attempt,) = await studio.attempts(accepted.id)
    request_id = await studio.finish_at_provider()
    await studio.call_back(request_id, attempt_id=attempt.id)
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.FAILED
    assert isinstance((await studio.events(accepted.id))[-1], JobFailed), "nothing after the end"

    await studio.retry(accepted.id)
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.spent) == (JobStatus.SUCCEEDED, 2)
    assert len(studio.generator.submissions) == 1


async def test_whoever_comes_too_late_to_send_does_not(studio: World) -> None:
    """Somebody may have looked for it meanwhile, and found nothing."""
    accepted = await studio.ask()
    await studio.give_turns()
    (attempt,) = await studio.attempts(accepted.id)
    slow = SlowCommits(studio)
    await submit_attempt(attempt.id, workshop=replace(studio.workshop, new_uow=slow.uow))
    (attempt,) = await studio.attempts(accepted.id)
    assert (attempt.status, attempt.error_code) == (AttemptStatus.FAILED, "unavailable")
    assert studio.generator.submissions == []


class SlowCommits:
    """Time passes while the database commits."""

    def __init__(self, world: World) -> None:
        self._world = world

    def uow(self) -> PostgresUnitOfWork:
        uow = self._world.uow()
        commit = uow.commit

        async def late() -> None:
            await commit()
            self._world.clock.advance(timedelta(seconds=30))

        uow.commit = late  # type: ignore[method-assign]
        return uow


async def dies_before_sending(studio: World, job_id: UUID) -> None:
    (attempt,) = await studio.attempts(job_id)
    async with (uow := studio.uow()):
        (await uow.attempts.get(attempt.id)).begin(at=studio.clock.now())
        await uow.commit()


async def test_an_orphan_that_turns_up_late_is_asked_to_stop(studio: World) -> None:
    studio.generator.forgetful = True
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=4))
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    orphan, _ = await studio.attempts(accepted.id)
    request_id = studio.generator.submissions[0].request_id
    studio.generator.advance(request_id, progress=10)
    await studio.call_back(request_id, attempt_id=orphan.id)
    await studio.work()
    assert (await studio.generator.fetch(request_id)).error_code == "cancelled"
    assert (await studio.seen(accepted.id)).status is not JobStatus.FAILED


async def test_an_orphan_that_succeeds_first_is_used_and_the_other_attempt_stopped(
    studio: World,
) -> None:
    studio.generator.forgetful = True
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=4))
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    orphan, other = await studio.attempts(accepted.id)
    request_id = await studio.finish_at_provider(number=0)
    await studio.call_back(request_id, attempt_id=orphan.id)
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    assert (await studio.generator.fetch(other.request_id or "")).error_code == "cancelled"


async def test_an_orphan_found_before_the_next_attempt_was_sent_is_taken_back(
    studio: World,
) -> None:
    studio.generator.forgetful = True
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=4))
    (orphan,) = await studio.attempts(accepted.id)
    request_id = studio.generator.submissions[0].request_id
    await studio.call_back(request_id, attempt_id=orphan.id)
    studio.clock.advance(timedelta(minutes=1))
    await studio.work()
    (first,) = await studio.attempts(accepted.id)
    assert first.status is AttemptStatus.ACTIVE
    assert len(studio.generator.submissions) == 1


async def test_of_two_attempts_that_succeed_at_once_one_counts(studio: World) -> None:
    studio.generator.forgetful = True
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(minutes=4))
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    orphan, other = await studio.attempts(accepted.id)
    first = await studio.finish_at_provider(number=0)
    second = await studio.finish_at_provider(number=1)
    await asyncio.gather(
        studio.call_back(first, attempt_id=orphan.id),
        studio.call_back(second, attempt_id=other.id),
    )
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, len(seen.results)) == (JobStatus.SUCCEEDED, 1)
    assert len(await studio.images_of(accepted.id)) == 1


async def test_an_answer_that_reached_our_storage_is_used_though_its_keeper_died(
    studio: World,
) -> None:
    studio.generator.lists_jobs = False
    studio.generator.fail_next(LOST)
    accepted = await studio.ask()
    await studio.work()
    (attempt,) = await studio.attempts(accepted.id)
    await studio.storage.put(answer_key(attempt.id, 0), blank_png(40, 30), content_type="image/png")
    await studio.poll_later(timedelta(minutes=2))
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    assert len(studio.generator.submissions) == 1
