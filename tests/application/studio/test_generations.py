"""From a request to an image that its owner can look at, over a real database."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from adapters.postgres.studio import licence_decisions
from application.licensing.standing import LicenceRefused
from application.ports.live import JobCompleted, JobProgress
from domain.identity.actor import Role
from domain.licensing.consent import ConsentMissing
from domain.licensing.terms import Purpose
from domain.media.asset import AssetPurpose, AssetState
from domain.shared.errors import NotFound
from domain.studio.attempt import AttemptStatus
from domain.studio.generation import Mode, ModelNotReady, SceneRequired
from domain.studio.job import JobEnded, JobNotRetryable, JobStatus
from tests import builders
from tests.application.studio.world import World


async def test_a_generation_goes_from_accepted_to_succeeded(studio: World) -> None:
    accepted = await studio.ask()
    assert accepted.status is JobStatus.RESERVED

    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.QUEUED
    (submission,) = studio.generator.submissions
    (attempt,) = await studio.attempts(accepted.id)
    assert submission.attempt.webhook_url.endswith(f"/webhooks/memory?attempt={attempt.id}")
    assert submission.request.weights.trigger_word == "adl4ce"
    assert "safetensors" in submission.request.weights.weights_url

    studio.generator.advance(submission.request_id, progress=50)
    await studio.call_back(submission.request_id)
    running = await studio.seen(accepted.id)
    assert (running.status, running.progress) == (JobStatus.RUNNING, 42)

    request_id = await studio.finish_at_provider()
    await studio.call_back(request_id)
    assert (await studio.seen(accepted.id)).status is JobStatus.INGESTING
    await studio.work()

    done = await studio.seen(accepted.id)
    assert (done.status, done.progress, len(done.results)) == (JobStatus.SUCCEEDED, 100, 1)
    assert done.terms_hash == studio.market.terms.hash
    (image,) = await studio.images_of(accepted.id)
    assert set(image.keys) <= studio.storage.stored_keys()
    assert image.original_key is not None


async def test_events_tell_every_change_in_order_and_progress_never_falls(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = studio.generator.submissions[0].request_id
    studio.generator.advance(request_id, progress=80)
    await studio.call_back(request_id)
    await studio.finish_at_provider()
    await studio.call_back(request_id)
    await studio.work()
    events = await studio.events(accepted.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    changes = [event for event in events if isinstance(event, JobProgress)]
    assert [event.status for event in changes] == [
        "reserved",
        "queued",
        "running",
        "ingesting",
        "succeeded",
    ]
    assert [event.progress for event in changes] == sorted(event.progress for event in changes)
    assert events[-1] == JobCompleted(job_id=accepted.id, seq=len(events))


async def test_what_the_licence_forbids_is_refused_with_every_reason_and_recorded(
    studio: World,
) -> None:
    with pytest.raises(LicenceRefused) as refused:
        await studio.ask(purpose=Purpose.POLITICAL)
    assert [reason.code for reason in refused.value.decision.reasons] == ["purpose_not_allowed"]
    async with studio.sessions() as session:
        rows = (await session.execute(select(licence_decisions))).all()
    recorded = [row for row in rows if row.subject_id is None]
    assert [row.terms_hash for row in recorded] == [studio.market.terms.hash]
    assert recorded[0].decision == refused.value.decision


async def test_withdrawn_consent_stops_new_generations_and_those_not_yet_sent(
    studio: World,
) -> None:
    accepted = await studio.ask()
    async with (uow := studio.uow()):
        (consent,) = await uow.consents.of_creators([studio.market.creator.id])
        consent.withdraw(at=studio.clock.now())
        await uow.commit()
    with pytest.raises(ConsentMissing):
        await studio.ask()
    await studio.work()
    assert studio.generator.submissions == []
    assert (await studio.seen(accepted.id)).error_code == "consent_missing"


async def test_an_unpublished_creator_is_not_there(studio: World) -> None:
    async with (uow := studio.uow()):
        creator = await uow.creators.get(studio.market.creator.id)
        creator.published = False
        await uow.commit()
    with pytest.raises(NotFound):
        await studio.ask()


async def test_without_a_trained_model_nothing_is_generated(world: World) -> None:
    with pytest.raises(ModelNotReady):
        await world.ask()


async def test_photo_mode_needs_a_scene_of_ones_own(studio: World) -> None:
    with pytest.raises(SceneRequired):
        await studio.ask(mode=Mode.PHOTO)
    with pytest.raises(SceneRequired):
        await studio.ask(mode=Mode.TEXT, scene_asset_id=uuid4())
    theirs = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.owner)
    with pytest.raises(NotFound):
        await studio.ask(mode=Mode.PHOTO, scene_asset_id=theirs)
    mine = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    await studio.ask(mode=Mode.PHOTO, scene_asset_id=mine)
    await studio.work()
    assert f"{mine}/clean.png" in (studio.generator.submissions[0].request.scene_image_url or "")


async def test_a_cancelled_generation_stays_cancelled_and_a_late_success_is_hidden(
    studio: World,
) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = await studio.finish_at_provider()
    assert (await studio.cancel(accepted.id)).status is JobStatus.CANCELLED
    assert (await studio.cancel(accepted.id)).status is JobStatus.CANCELLED

    await studio.call_back(request_id)
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, list(seen.results)) == (JobStatus.CANCELLED, [])
    (late,) = await studio.images_of(accepted.id)
    assert late.state is AssetState.HIDDEN


async def test_cancelling_asks_the_provider_to_stop(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.cancel(accepted.id)
    await studio.work()
    job = await studio.generator.fetch(studio.generator.submissions[0].request_id)
    assert job.error_code == "cancelled"


async def test_what_was_cancelled_before_it_was_sent_is_never_sent(studio: World) -> None:
    accepted = await studio.ask()
    await studio.cancel(accepted.id)
    await studio.work()
    assert studio.generator.submissions == []


async def test_what_has_succeeded_is_neither_cancelled_nor_retried(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.call_back(await studio.finish_at_provider())
    await studio.work()
    with pytest.raises(JobEnded):
        await studio.cancel(accepted.id)
    with pytest.raises(JobNotRetryable):
        await studio.retry(accepted.id)


async def test_a_retry_has_attempts_of_its_own(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    request_id = studio.generator.submissions[0].request_id
    studio.generator.fail(request_id, code="content_refused", failure="permanent")
    await studio.call_back(request_id)
    assert (await studio.seen(accepted.id)).error_code == "content_refused"

    await studio.retry(accepted.id)
    await studio.work()
    await studio.call_back(await studio.finish_at_provider())
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    rounds = [(one.round, one.number) for one in await studio.attempts(accepted.id)]
    assert rounds == [(1, 1), (2, 1)]


async def test_a_retry_that_the_licence_refuses_changes_nothing(studio: World) -> None:
    accepted = await studio.ask()
    await studio.cancel(accepted.id)
    async with (uow := studio.uow()):
        creator = await uow.creators.get(studio.market.creator.id)
        creator.published = False
        await uow.commit()
    with pytest.raises(NotFound):
        await studio.retry(accepted.id)
    assert (await studio.seen(accepted.id)).status is JobStatus.CANCELLED


async def test_another_persons_generation_is_not_there(studio: World) -> None:
    accepted = await studio.ask()
    studio.fan = builders.actor(Role.FAN)
    with pytest.raises(NotFound):
        await studio.cancel(accepted.id)
    with pytest.raises(NotFound):
        await studio.seen(accepted.id)


async def test_what_takes_too_long_expires(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.poll_later(timedelta(hours=1, seconds=1))
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.EXPIRED, "expired")
    (attempt,) = await studio.attempts(accepted.id)
    assert attempt.status is AttemptStatus.ACTIVE
