"""Jobs of several steps, from a wish to what may be shown, and what each step costs."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.video import frame_at, movie, sound
from application.ports.engines import (
    EngineOutput,
    ImageToMesh,
    ImageToVideo,
    TalkingPortrait,
    TextToImage,
    TextToSpeech,
)
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.live import StepCompleted
from application.studio.credits import open_wallet
from application.studio.generations import SpokenText, delete_generation
from domain.identity.actor import Role
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.media.asset import AssetPurpose, AssetState, Media
from domain.shared.errors import NotFound
from domain.studio.attempt import AttemptStatus
from domain.studio.credits import CreditsExhausted
from domain.studio.job import JobOpen, JobStatus
from domain.studio.step import StepStatus
from tests import builders
from tests.application.studio.world import World
from tests.pictures import MESH

SPEECH = SpokenText(text="Good morning, and thank you for coming.", voice="alloy")


@pytest.fixture
async def studio(sessions: async_sessionmaker[AsyncSession]) -> World:
    """A trained model, under terms that allow everything."""
    everything = builders.terms(
        capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
    )
    return await (await World(sessions).opened(licence=everything)).with_model()


async def wallet(studio: World) -> tuple[int, int]:
    """What the fan may still spend, and what is held."""
    async with (uow := studio.uow()):
        found = await open_wallet(uow, studio.fan.user_id, studio.clock.now())
        return found.balance, found.held


async def through(studio: World, job_id: UUID, *, times: int = 6) -> None:
    """Let engines finish whatever they have, and do our own part of it."""
    for _ in range(times):
        await studio.work()
        for attempt in await studio.attempts(job_id):
            if attempt.status is AttemptStatus.ACTIVE:
                await studio.make(attempt)
    await studio.work()


async def test_a_video_is_drawn_moved_and_finished(studio: World) -> None:
    accepted = await studio.ask(kind="video")
    await through(studio, accepted.id)
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.progress) == (JobStatus.SUCCEEDED, 100)
    assert [step.type for step in seen.steps] == [
        "image_generation",
        "video_synthesis",
        "post_processing",
    ]
    (video,) = await studio.images_of(accepted.id)
    assert (video.media, video.content_type, video.state) == (
        Media.VIDEO,
        "video/mp4",
        AssetState.READY,
    )
    assert set(video.keys) <= studio.storage.stored_keys()
    (moved,) = [s.request for s in studio.engine(ImageToVideo).submissions]
    assert f"work/{accepted.id}/" in moved.image_url
    told = [e.step_type for e in await studio.events(accepted.id) if isinstance(e, StepCompleted)]
    assert told == ["image_generation", "video_synthesis", "post_processing"]


@pytest.mark.parametrize(
    ("score", "state"), [(0.1, AssetState.READY), (0.6, AssetState.UNDER_REVIEW)]
)
async def test_a_film_is_judged_by_the_worst_of_its_frames(
    studio: World, score: float, state: AssetState
) -> None:
    studio.classifier.scores[frame_at(500)] = score
    accepted = await studio.ask(kind="video")
    await through(studio, accepted.id)
    (film,) = await studio.images_of(accepted.id)
    assert (film.media, film.state) == (Media.VIDEO, state)


async def test_a_given_image_is_not_drawn(studio: World) -> None:
    mine = await studio.upload(AssetPurpose.SCENE_IMAGE, actor=studio.fan)
    accepted = await studio.ask(kind="video", prompt="", source_asset_id=mine)
    await through(studio, accepted.id)
    assert studio.engine(TextToImage).submissions == []
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_face_and_voice_of_an_avatar_are_made_side_by_side(studio: World) -> None:
    accepted = await studio.ask(kind="talking_avatar", speech=SPEECH)
    await studio.work()
    at_work = [a for a in await studio.attempts(accepted.id) if a.status is AttemptStatus.ACTIVE]
    assert {attempt.model for attempt in at_work} == {"text_to_image", "text_to_speech"}
    await through(studio, accepted.id)
    (portrait,) = [s.request for s in studio.engine(TalkingPortrait).submissions]
    assert portrait.image_url != portrait.audio_url
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_speech_that_comes_in_the_answer_is_kept_before_it_is_believed(
    studio: World,
) -> None:
    accepted = await studio.ask(kind="speech", prompt="", speech=SPEECH)
    await studio.work()
    (submission,) = studio.engine(TextToSpeech).submissions
    studio.engine(TextToSpeech).complete(
        submission.request_id, outputs=[EngineOutput(content=sound("mp3"), content_type="x/y")]
    )
    await studio.call_back_of(submission.request_id, TextToSpeech)
    await studio.work()
    (spoken,) = await studio.images_of(accepted.id)
    assert (spoken.media, spoken.content_type, spoken.preview_key) == (
        Media.AUDIO,
        "audio/mpeg",
        None,
    )
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_a_mesh_is_looked_at_before_it_counts(studio: World) -> None:
    accepted = await studio.ask(kind="model_3d")
    await studio.work()
    for attempt in await studio.attempts(accepted.id):
        await studio.make(attempt)
    await studio.work()
    (_, attempt) = await studio.attempts(accepted.id)
    await studio.make(attempt, b"glTF and then nothing")
    await studio.work()
    (_, refused) = await studio.attempts(accepted.id)
    assert refused.error_code == "output_refused"
    studio.clock.advance(timedelta(seconds=10))
    await through(studio, accepted.id)
    (mesh,) = await studio.images_of(accepted.id)
    assert (mesh.media, mesh.size_bytes) == (Media.MODEL_3D, len(MESH))
    assert len(studio.engine(ImageToMesh).submissions) == 2
    assert len(studio.engine(TextToImage).submissions) == 1


async def test_four_images_have_a_seed_each_and_are_finished_together(studio: World) -> None:
    accepted = await studio.ask(count=4, seed=7)
    await through(studio, accepted.id)
    seeds = sorted(s.request.seed for s in studio.engine(TextToImage).submissions)
    assert seeds == [7, 8, 9, 10]
    seen = await studio.seen(accepted.id)
    assert (seen.status, len(seen.results), seen.spent) == (JobStatus.SUCCEEDED, 4, 8)


async def test_a_retry_keeps_the_finished_step_and_pays_for_the_other_alone(studio: World) -> None:
    balance, _ = await wallet(studio)
    accepted = await studio.ask(kind="video")
    await studio.work()
    (drawn,) = await studio.attempts(accepted.id)
    await studio.make(drawn)
    await studio.work()
    (_, moving) = await studio.attempts(accepted.id)
    studio.engine(ImageToVideo).fail(
        moving.request_id or "", code="content_refused", failure="permanent"
    )
    await studio.call_back_of(moving.request_id or "", ImageToVideo)
    assert (await studio.seen(accepted.id)).status is JobStatus.FAILED
    assert await wallet(studio) == (balance, 0)

    await studio.retry(accepted.id)
    await through(studio, accepted.id)
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.spent) == (JobStatus.SUCCEEDED, 2 + 4)
    assert len(studio.engine(TextToImage).submissions) == 1
    assert await wallet(studio) == (balance - 6, 0)


async def test_what_a_cancelled_job_still_makes_is_hidden_and_charged_once(studio: World) -> None:
    balance, _ = await wallet(studio)
    accepted = await studio.ask()
    await studio.work()
    assert await wallet(studio) == (balance - 2, 2)
    await studio.cancel(accepted.id)
    assert await wallet(studio) == (balance - 2, 2)
    (attempt,) = await studio.attempts(accepted.id)
    await studio.make(attempt)
    await studio.work()
    assert await wallet(studio) == (balance - 2, 0)
    (late,) = await studio.images_of(accepted.id)
    assert late.state is AssetState.HIDDEN

    await studio.retry(accepted.id)
    await through(studio, accepted.id)
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.spent) == (JobStatus.SUCCEEDED, 2)
    assert len(studio.engine(TextToImage).submissions) == 1


async def test_what_was_cancelled_before_it_began_costs_nothing(studio: World) -> None:
    balance, _ = await wallet(studio)
    accepted = await studio.ask(count=3)
    await studio.cancel(accepted.id)
    assert await wallet(studio) == (balance, 0)


async def test_who_has_no_credits_starts_nothing(studio: World) -> None:
    balance, _ = await wallet(studio)
    outcomes = await asyncio.gather(
        *(studio.ask(count=4) for _ in range(20)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, CreditsExhausted)]
    assert len(outcomes) - len(refused) == balance // 8
    assert await wallet(studio) == (balance % 8, balance - balance % 8)


async def test_an_engine_that_sends_us_elsewhere_is_left_for_the_other_at_once(
    world: World,
) -> None:
    pair = await World(world.sessions, generators=2).opened()
    await pair.with_model()
    pair.generators[0].fail_next(Rejected("no", provider="memory", reason="http_403"))
    accepted = await pair.ask()
    await pair.work()
    first, second = await pair.attempts(accepted.id)
    assert (first.provider, second.provider) == ("memory", "memory1")
    assert second.status is AttemptStatus.ACTIVE


async def test_an_engine_that_keeps_failing_is_left_alone_and_then_probed(world: World) -> None:
    pair = await World(world.sessions, generators=2).opened()
    await pair.with_model()
    for _ in range(5):
        pair.generators[0].fail_next(Unavailable("down", provider="memory"))
        pair.fan = builders.actor(Role.FAN)
        await pair.ask()
        await pair.work()
        pair.clock.advance(timedelta(seconds=1))
    before = len(pair.generators[0].submissions)
    pair.fan = builders.actor(Role.FAN)
    shunned = await pair.ask()
    await pair.work()
    (attempt,) = await pair.attempts(shunned.id)
    assert (attempt.provider, before) == ("memory1", 0)

    pair.clock.advance(timedelta(seconds=31))
    pair.fan = builders.actor(Role.FAN)
    asked = [await pair.ask() for _ in range(3)]
    await pair.work()
    providers = [(await pair.attempts(one.id))[0].provider for one in asked]
    assert sorted(providers) == ["memory", "memory1", "memory1"]


async def test_a_provider_is_given_no_more_than_it_takes(studio: World) -> None:
    studio.limit("memory", 2)
    for _ in range(4):
        await studio.ask()
    await studio.work()
    assert len(studio.generator.submissions) == 2
    request_id = await studio.finish_at_provider(number=0)
    await studio.call_back(request_id)
    await studio.work()
    assert len(studio.generator.submissions) == 3


async def test_a_user_has_no_more_under_way_than_the_plan_allows(studio: World) -> None:
    asked = [await studio.ask() for _ in range(5)]
    await studio.work()
    assert len(studio.generator.submissions) == 3
    await studio.cancel(asked[0].id)
    await studio.work()
    assert len(studio.generator.submissions) == 4


async def test_nobody_waits_behind_anothers_hundred(studio: World) -> None:
    studio.limit("memory", 1)
    for _ in range(5):
        await studio.ask(prompt="the first one's")
    first, studio.fan = studio.fan, studio.owner
    await studio.ask(prompt="the other one's")
    await studio.work()
    for number in range(2):
        await studio.call_back(await studio.finish_at_provider(number=number))
        studio.clock.advance(timedelta(seconds=1))
        await studio.work()
    prompts = [s.request.prompt for s in studio.generator.submissions]
    assert prompts == ["the first one's", "the other one's", "the first one's"]
    assert first != studio.fan


async def test_places_are_given_once_however_many_ask(studio: World) -> None:
    studio.limit("memory", 2)
    for _ in range(3):
        await studio.ask()
    await asyncio.gather(*(studio.give_turns() for _ in range(8)))
    planned = 0
    async with (uow := studio.uow()):
        planned = (await uow.turns.in_flight())["memory"]
    assert planned == 2


async def test_what_is_deleted_is_gone_and_what_is_open_is_not_deleted(studio: World) -> None:
    accepted = await studio.ask()
    with pytest.raises(JobOpen):
        await delete(studio, accepted.id)
    await through(studio, accepted.id)
    (image,) = await studio.images_of(accepted.id)
    await delete(studio, accepted.id)
    with pytest.raises(NotFound):
        await studio.seen(accepted.id)
    async with (uow := studio.uow()):
        assert await uow.assets.many([image.id]) == []
    async with (uow := studio.uow()):
        assert (await uow.generations.get(accepted.id)).prompt == ""


async def test_a_lost_answer_of_the_second_step_never_pays_for_the_first_again(
    studio: World,
) -> None:
    studio.engine(ImageToVideo).fail_next(OutcomeUnknown("no answer", provider="memory"))
    accepted = await studio.ask(kind="video")
    await studio.work()
    (drawn,) = await studio.attempts(accepted.id)
    await studio.make(drawn)
    await studio.work()
    (_, lost) = await studio.attempts(accepted.id)
    assert lost.status is AttemptStatus.UNKNOWN
    (submission,) = studio.engine(ImageToVideo).submissions
    studio.engine(ImageToVideo).complete(submission.request_id)
    studio.files.put(f"https://results.example/{submission.request_id}.mp4", movie())
    await studio.call_back_of(submission.request_id, ImageToVideo, attempt_id=lost.id)
    await studio.work()
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED
    assert len(studio.engine(TextToImage).submissions) == 1
    assert len(studio.engine(ImageToVideo).submissions) == 1
    assert [step.status for step in await studio.steps(accepted.id)] == [StepStatus.SUCCEEDED] * 3


async def delete(studio: World, generation_id: UUID) -> None:
    await delete_generation(generation_id, actor=studio.fan, uow=studio.uow(), clock=studio.clock)
