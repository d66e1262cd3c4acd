"""Several pieces, of which some cannot be made: what there is is delivered, and paid for alone."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.images import blank_png
from adapters.memory.video import movie
from application.ports.engines import ImageToVideo, TextToImage
from application.ports.errors import Rejected
from application.studio.generations import SpokenText
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.media.asset import AssetState
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.job import JobNotRetryable, JobStatus
from domain.studio.pipelines import StepType
from domain.studio.step import WORK_LIFE, StepStatus
from tests import builders
from tests.application.studio.test_pipelines import through, wallet
from tests.application.studio.world import World


@pytest.fixture
async def studio(sessions: async_sessionmaker[AsyncSession]) -> World:
    """A trained model, under terms that allow everything."""
    everything = builders.terms(
        capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
    )
    return await (await World(sessions).opened(licence=everything)).with_model()


def refuse_next(studio: World) -> None:
    refusal = Rejected("no", provider="memory", reason="content_refused")
    studio.generator.fail_next(refusal)


async def shown(studio: World, job_id: UUID) -> list[UUID]:
    return [result.id for result in (await studio.seen(job_id)).results]


async def at_work(studio: World, job_id: UUID) -> list[Attempt]:
    return [one for one in await studio.attempts(job_id) if one.status is AttemptStatus.ACTIVE]


async def test_three_of_four_are_delivered_and_paid_for(studio: World) -> None:
    before, _ = await wallet(studio)
    refuse_next(studio)
    job_id = (await studio.ask(count=4)).id
    assert (await wallet(studio))[1] == 8
    await through(studio, job_id)

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.progress) == (JobStatus.SUCCEEDED, True, 100)
    assert (len(seen.results), seen.spent, seen.held) == (3, 6, 0)
    assert [step.error_code for step in seen.steps].count("content_refused") == 1
    assert await wallet(studio) == (before - 6, 0)


async def test_a_retry_makes_and_charges_the_missing_piece_alone(studio: World) -> None:
    before, _ = await wallet(studio)
    refuse_next(studio)
    job_id = (await studio.ask(count=3)).id
    await through(studio, job_id)
    first = await shown(studio, job_id)
    sent = len(studio.generator.submissions)

    await studio.retry(job_id)
    assert (await wallet(studio))[1] == 2
    assert (await studio.seen(job_id)).progress == 99
    assert await shown(studio, job_id) == first  # nothing is taken away meanwhile
    await through(studio, job_id)

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.spent) == (JobStatus.SUCCEEDED, False, 6)
    assert len(studio.generator.submissions) == sent + 1
    assert (len(first), len(seen.results)) == (2, 3)
    assert set(first) < {result.id for result in seen.results}
    assert await wallet(studio) == (before - 6, 0)
    with pytest.raises(JobNotRetryable):
        await studio.retry(job_id)


async def test_a_retry_that_fails_again_leaves_what_there_was_and_costs_nothing(
    studio: World,
) -> None:
    refuse_next(studio)
    job_id = (await studio.ask(count=2)).id
    await through(studio, job_id)
    first, before = await shown(studio, job_id), await wallet(studio)

    refuse_next(studio)
    await studio.retry(job_id)
    await through(studio, job_id)

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.spent) == (JobStatus.SUCCEEDED, True, 2)
    assert await shown(studio, job_id) == first
    assert await wallet(studio) == before


async def test_the_job_fails_with_its_last_piece(studio: World) -> None:
    before = await wallet(studio)
    for _ in range(2):
        refuse_next(studio)
    job_id = (await studio.ask(count=2)).id
    await through(studio, job_id)
    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.error_code) == (
        JobStatus.FAILED,
        False,
        "content_refused",
    )
    assert await wallet(studio) == before


async def test_what_went_into_a_lost_piece_is_not_paid_until_it_is_delivered(
    studio: World,
) -> None:
    """Two films, of which one is drawn and cannot be moved."""
    engine = studio.engine(ImageToVideo)
    assert engine is studio.others[ImageToVideo]
    studio.others[ImageToVideo].fail_next(
        Rejected("no", provider="elsewhere", reason="content_refused")
    )
    job_id = (await studio.ask(kind="video", count=2)).id
    await through(studio, job_id)

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.spent) == (JobStatus.SUCCEEDED, True, 2 + 4)
    assert len(seen.results) == 1
    drawn = len(studio.engine(TextToImage).submissions)

    await studio.retry(job_id)
    assert (await wallet(studio))[1] == 2 + 4
    await through(studio, job_id)
    seen = await studio.seen(job_id)
    assert (seen.partial, seen.spent, len(seen.results)) == (False, 12, 2)
    assert len(studio.engine(TextToImage).submissions) == drawn


async def test_a_blocked_piece_is_not_paid_for(studio: World) -> None:
    job_id = (await studio.ask(count=2)).id
    await studio.work()
    blocked = blank_png(111, 99)
    studio.classifier.scores[blocked] = 0.99
    first, second = await at_work(studio, job_id)
    await studio.make(first)
    await studio.make(second, blocked)
    await studio.work()

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.spent) == (JobStatus.SUCCEEDED, True, 2)
    assert len(seen.results) == 1
    states = [asset.state for asset in await studio.images_of(job_id)]
    assert sorted(states) == [AssetState.HIDDEN, AssetState.READY]
    assert "content_blocked" in [step.error_code for step in seen.steps]


async def test_nobody_is_delivered_to_after_the_licence_is_gone(studio: World) -> None:
    """Not even what was made before, where pieces are still missing."""
    studio.limit("memory", 1)
    job_id = (await studio.ask(count=2)).id
    await studio.work()
    async with (uow := studio.uow()):
        consent = await uow.consents.get(studio.market.consent.id, lock=True)
        consent.withdraw(at=studio.clock.now())
        await uow.commit()
    (first,) = await at_work(studio, job_id)
    await studio.make(first)
    await studio.work()
    seen = await studio.seen(job_id)
    assert (seen.status, seen.error_code, seen.results) == (
        JobStatus.FAILED,
        "consent_missing",
        [],
    )


async def test_an_avatar_is_paid_by_how_long_it_speaks(studio: World) -> None:
    speech = SpokenText(text="a" * 80)
    job_id = (await studio.ask(kind="talking_avatar", speech=speech)).id
    seen = await studio.seen(job_id)
    assert {step.type: step.credits for step in seen.steps}[StepType.VIDEO_SYNTHESIS] == 10 * 4
    assert seen.held == 2 + 1 + 40
    for _ in range(4):
        await studio.work()
        for attempt in await at_work(studio, job_id):
            spoken = attempt.model == "talking_portrait"
            await studio.make(attempt, movie(duration_ms=6_400) if spoken else None)
    await studio.work()

    seen = await studio.seen(job_id)
    assert (seen.status, seen.spent, seen.held) == (JobStatus.SUCCEEDED, 2 + 1 + 7 * 4, 0)
    assert all(step.status is StepStatus.SUCCEEDED for step in seen.steps)


async def test_what_came_after_a_cancellation_is_shown_when_it_is_started_again(
    studio: World,
) -> None:
    job_id = (await studio.ask()).id
    await studio.work()
    (attempt,) = await at_work(studio, job_id)
    await studio.cancel(job_id)
    await studio.make(attempt)
    await studio.work()
    (late,) = await studio.images_of(job_id)
    assert (late.state, await shown(studio, job_id)) == (AssetState.HIDDEN, [])

    await studio.retry(job_id)
    await studio.work()

    seen = await studio.seen(job_id)
    assert (seen.status, seen.partial, seen.spent) == (JobStatus.SUCCEEDED, False, 2)
    assert await shown(studio, job_id) == [late.id]
    assert len(studio.generator.submissions) == 1


async def test_what_lacks_a_piece_is_completed_while_the_rest_is_kept(studio: World) -> None:
    refuse_next(studio)
    job_id = (await studio.ask(count=2)).id
    await through(studio, job_id)
    kept = await studio.views.work_kept([job_id], ended_after=studio.clock.now() - WORK_LIFE)
    assert len(kept) == 1
    studio.clock.advance(WORK_LIFE)
    with pytest.raises(JobNotRetryable):
        await studio.retry(job_id)
    assert len(await shown(studio, job_id)) == 1


async def test_the_database_knows_partial_jobs_as_succeeded(studio: World) -> None:
    job_id = (await studio.ask()).id
    async with studio.sessions() as session:
        with pytest.raises(IntegrityError, match="partial"):
            await session.execute(
                text("UPDATE jobs SET partial = true WHERE id = :id"), {"id": job_id}
            )
