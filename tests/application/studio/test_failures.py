"""What a provider may do wrong, and how a job comes through it: attempts, and late and repeated
callbacks."""

import asyncio
from datetime import timedelta

from adapters.memory.images import blank_png
from application.ports.engines import EngineJob, EngineOutput
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from domain.studio.attempt import AttemptStatus
from domain.studio.job import JobStatus
from domain.studio.step import StepStatus
from tests.application.studio.world import World

DOWN = Unavailable("away", provider="memory")
LOST = OutcomeUnknown("no answer", provider="memory")


async def test_an_unavailable_provider_is_tried_again_a_little_later(studio: World) -> None:
    studio.generator.fail_next(DOWN)
    accepted = await studio.ask()
    await studio.work()
    (first,) = await studio.attempts(accepted.id)
    (step, _) = await studio.steps(accepted.id)
    assert (first.status, step.status) == (AttemptStatus.FAILED, StepStatus.READY)

    studio.clock.advance(timedelta(seconds=5))
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED


async def test_a_provider_that_says_when_to_come_back_is_obeyed(studio: World) -> None:
    studio.generator.fail_next(Unavailable("slow down", provider="memory", retry_after_s=90))
    accepted = await studio.ask()
    await studio.work()
    studio.clock.advance(timedelta(seconds=89))
    await studio.work()
    assert studio.generator.submissions == []
    studio.clock.advance(timedelta(seconds=2))
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED


async def test_after_three_attempts_the_job_has_failed_and_says_why(studio: World) -> None:
    accepted = await studio.ask()
    for _ in range(3):
        studio.generator.fail_next(DOWN)
        studio.clock.advance(timedelta(minutes=1))
        await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "unavailable")
    assert seen.error_message == "The provider could not be reached."
    assert len(await studio.attempts(accepted.id)) == 3


async def test_a_refusal_ends_the_job_at_once(studio: World) -> None:
    studio.generator.fail_next(Rejected("no", provider="memory", reason="content_policy_violation"))
    accepted = await studio.ask()
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "content_refused")
    assert len(await studio.attempts(accepted.id)) == 1


async def test_a_broken_runner_costs_an_attempt_not_the_job(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = studio.generator.submissions[0].request_id
    studio.generator.fail(request_id)
    await studio.call_back(request_id)
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    await studio.call_back(await studio.finish_at_provider())
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_a_callback_that_never_comes_is_made_up_for_by_asking(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    assert await studio.poll_later() == 1
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_while_the_provider_is_away_polling_only_waits(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    studio.generator.fail_next(DOWN)
    await studio.poll_later()
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED


async def test_a_job_the_provider_does_not_know_any_more_costs_an_attempt(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    studio.generator.fail_next(Rejected("gone", provider="memory", reason="not_found"))
    await studio.poll_later()
    studio.clock.advance(timedelta(seconds=5))
    await studio.work()
    assert len(await studio.attempts(accepted.id)) == 2


async def test_repeated_reordered_and_simultaneous_callbacks_take_effect_once(
    studio: World,
) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = await studio.finish_at_provider()
    done = await studio.generator.fetch(request_id)
    queued = EngineJob(request_id=request_id, status="queued")
    failed = EngineJob(request_id=request_id, status="failed", failure="retryable")
    outcomes = await asyncio.gather(*(studio.report(done) for _ in range(5)))
    assert sum(outcomes) == 1
    for late in (queued, failed, done):
        assert not await studio.report(late)
    await studio.work()
    assert not await studio.report(failed)
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.progress, len(seen.results)) == (JobStatus.SUCCEEDED, 100, 1)


async def test_a_callback_about_a_stranger_is_ignored(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    (attempt,) = await studio.attempts(accepted.id)
    foreign = EngineJob(
        request_id="another-request",
        status="succeeded",
        outputs=(EngineOutput(url="https://x.example/1.png"),),
    )
    assert not await studio.report(foreign)
    assert not await studio.report(foreign, attempt_id=attempt.id)
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED


async def test_a_result_that_is_no_image_costs_an_attempt(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = await studio.finish_at_provider(make_file=False)
    studio.files.put(f"https://results.example/{request_id}.png", b"<html>oops</html>")
    await studio.call_back(request_id)
    await studio.work()
    (first,) = await studio.attempts(accepted.id)
    (step, _) = await studio.steps(accepted.id)
    assert (first.error_code, step.status) == ("output_refused", StepStatus.READY)
    studio.clock.advance(timedelta(seconds=10))
    await studio.work()
    await studio.call_back(await studio.finish_at_provider())
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_attempts_go_round_the_providers(world: World) -> None:
    pair = await World(world.sessions, generators=2).opened()
    await pair.with_model()
    pair.generators[0].fail_next(DOWN)
    accepted = await pair.ask()
    await pair.work()
    pair.clock.advance(timedelta(seconds=10))
    await pair.work()
    providers = [attempt.provider for attempt in await pair.attempts(accepted.id)]
    assert providers == ["memory", "memory1"]


async def test_an_attempt_is_looked_at_by_one_sweep_only(studio: World) -> None:
    await studio.ask()
    await studio.work()
    studio.clock.advance(timedelta(minutes=1))
    async with (one := studio.uow()), (other := studio.uow()):
        now, later = studio.clock.now(), studio.clock.now() + timedelta(minutes=1)
        taken = await one.attempts.take_due(now=now, lease_until=later, limit=10)
        assert len(taken) == 1
        assert await other.attempts.take_due(now=now, lease_until=later, limit=10) == []


async def test_what_its_maker_thinks_unsafe_is_given_to_nobody(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = studio.generator.submissions[-1].request_id
    studio.generator.complete(request_id, flagged=(0,))
    studio.files.put(f"https://results.example/{request_id}.png", blank_png(2000, 1000))
    await studio.call_back(request_id)
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "content_refused")
    assert list(seen.results) == []
