"""What every Engine promises: the fake, and each model at fal and Replicate over HTTP."""

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image, ImageChops

from adapters.fal import models as fal
from adapters.ffmpeg.processor import FfmpegVideos
from application.ports.engines import (
    Engine,
    EngineJob,
    EngineRequest,
    ImageToMesh,
    ImageToVideo,
    LikenessWeights,
    PhotoToImage,
    TalkingPortrait,
    TextToImage,
    TextToSpeech,
    TrainLikeness,
    TransferMotion,
)
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests.contracts.engine_worlds import (
    ATTEMPT,
    NAMES,
    OTHER_ATTEMPT,
    SEEDED,
    EngineWorld,
    archive,
    data_url,
    ended,
    fal_engine,
    replicate_engine,
    request_of,
    text_request,
    training_request,
    world_of,
)
from tests.sandbox.server import Sandbox

SOME = (
    "memory",
    "fal fal-ai/flux-lora",
    "fal fal-ai/flux-lora-fast-training",
    "fal fal-ai/stable-video",
    "replicate black-forest-labs/flux-dev-lora",
    "replicate cjwbw/sadtalker",
)
VIDEO = (ImageToVideo, TransferMotion, TalkingPortrait)


async def _world(name: str, request: pytest.FixtureRequest) -> AsyncIterator[EngineWorld]:
    sandbox = None if name == "memory" else request.getfixturevalue("sandbox")
    world = world_of(name, sandbox)
    yield world
    if hasattr(world.engine, "aclose"):
        await world.engine.aclose()


@pytest.fixture(params=NAMES)
async def every(request: pytest.FixtureRequest) -> AsyncIterator[EngineWorld]:
    """Each engine there is."""
    async for world in _world(request.param, request):
        yield world


@pytest.fixture(params=SOME)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[EngineWorld]:
    """An engine of each make."""
    async for one in _world(request.param, request):
        yield one


async def test_a_job_is_queued_and_ends_with_what_it_is_for(every: EngineWorld) -> None:
    job = await every.submit()
    assert (job.status, job.progress, job.failure) == ("queued", 0, None)
    await every.far.succeed(job.request_id)
    done = await every.engine.fetch(job.request_id)
    assert (done.status, done.progress, done.error_code) == ("succeeded", 100, None)
    assert (done.failure, done.flagged, len(done.outputs)) == (None, (), 1)
    if every.kind in SEEDED:
        assert done.seed == 41
    if every.engine.provider != "memory":
        await _is_what_was_asked_for(every.kind, str(done.outputs[0].url))
        assert done.billed_units is not None


async def _is_what_was_asked_for(kind: type[EngineRequest], url: str) -> None:
    content = await _download(url)
    if kind in VIDEO:
        assert (await FfmpegVideos().inspect(content)).video_codec == "h264"
    elif kind is ImageToMesh:
        assert content.startswith(b"glTF")
    elif kind is TrainLikeness:
        (length,) = struct.unpack("<Q", content[:8])
        assert json.loads(content[8 : 8 + length])["__metadata__"]["trigger_word"] == "OHWX"
    else:
        Image.open(io.BytesIO(content)).load()


async def test_what_an_engine_does_not_take_is_not_sent(every: EngineWorld) -> None:
    other = request_of(TextToSpeech)
    with pytest.raises(Rejected) as refusal:
        await every.engine.submit(other, ATTEMPT)
    assert refusal.value.reason == "unsupported_request"
    assert every.far.started() == 0


async def test_a_throttled_submission_starts_nothing(world: EngineWorld) -> None:
    world.far.next_is_throttled()
    with pytest.raises(Unavailable) as refusal:
        await world.submit()
    assert refusal.value.retry_after_s is not None
    assert world.far.started() == 0


async def test_a_broken_provider_is_asked_exactly_once(world: EngineWorld) -> None:
    world.far.next_breaks()
    with pytest.raises(Unavailable):
        await world.submit()
    assert world.far.started() == 0


async def test_a_silence_after_acceptance_is_unknown_and_one_job_at_most(
    world: EngineWorld,
) -> None:
    world.far.next_is_taken_in_silence()
    with pytest.raises(OutcomeUnknown):
        await world.submit()
    assert world.far.started() == 1


async def test_what_was_taken_in_silence_is_found_or_nobody_can_tell(every: EngineWorld) -> None:
    before = datetime.now(UTC)
    other = await every.engine.submit(every.another_request(), OTHER_ATTEMPT)
    every.far.next_is_taken_in_silence()
    with pytest.raises(OutcomeUnknown):
        await every.submit()
    if not every.engine.lists_jobs:
        with pytest.raises(OutcomeUnknown):
            await every.find(since=before)
        return
    found = await every.find(since=before)
    assert found is not None
    assert found.request_id != other.request_id
    await every.far.succeed(found.request_id)
    assert (await every.engine.fetch(found.request_id)).status == "succeeded"
    assert await every.find(since=before, known=[found.request_id]) is None


async def test_what_was_never_taken_is_not_found(every: EngineWorld) -> None:
    if not every.engine.lists_jobs:
        return
    before = datetime.now(UTC)
    await every.engine.submit(every.another_request(), OTHER_ATTEMPT)
    every.far.next_breaks()
    with pytest.raises(Unavailable):
        await every.submit()
    assert await every.find(since=before) is None


async def test_a_refused_submission_is_rejected_with_a_reason(world: EngineWorld) -> None:
    world.far.next_is_refused()
    with pytest.raises(Rejected) as refusal:
        await world.submit()
    assert refusal.value.reason in ("content_refused", "invalid_input")
    assert world.far.started() == 0


async def test_what_the_content_policy_declines_fails_everywhere(world: EngineWorld) -> None:
    job = await world.submit()
    await world.far.refuse(job.request_id)
    declined = await world.engine.fetch(job.request_id)
    assert (declined.status, declined.error_code) == ("failed", "content_refused")
    assert (declined.failure, declined.outputs) == ("permanent", ())


async def test_a_job_whose_machine_fails_may_be_tried_again(world: EngineWorld) -> None:
    job = await world.submit()
    await world.far.crash(job.request_id)
    crashed = await world.engine.fetch(job.request_id)
    assert (crashed.status, crashed.error_code) == ("failed", "runner_failed")
    assert crashed.failure == "retryable"


async def test_a_cancelled_job_has_failed(world: EngineWorld) -> None:
    job = await world.submit()
    await world.engine.cancel(job.request_id)
    cancelled = await world.engine.fetch(job.request_id)
    assert (cancelled.status, cancelled.error_code) == ("failed", "cancelled")
    assert cancelled.failure == "permanent"


async def test_cancelling_too_late_changes_nothing(world: EngineWorld) -> None:
    job = await world.submit()
    await world.far.succeed(job.request_id)
    await world.engine.cancel(job.request_id)
    await world.engine.cancel("unheard-of")
    assert (await world.engine.fetch(job.request_id)).status == "succeeded"


async def test_an_unknown_job_is_rejected(world: EngineWorld) -> None:
    with pytest.raises(Rejected) as refusal:
        await world.engine.fetch("unheard-of")
    assert refusal.value.reason == "not_found"


# What only the real ones can show.


@pytest.fixture(params=["fal", "replicate"])
async def drawing(
    request: pytest.FixtureRequest, sandbox: Sandbox
) -> AsyncIterator[Engine[TextToImage]]:
    found: Any = fal_engine(sandbox) if request.param == "fal" else replicate_engine(sandbox)
    yield found
    await found.aclose()


async def _download(url: str) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).raise_for_status().content


async def _drawn(engine: Engine[Any], request: EngineRequest) -> Image.Image:
    job = await engine.submit(request, ATTEMPT)
    done = await ended(engine, job.request_id)
    image = Image.open(io.BytesIO(await _download(str(done.outputs[0].url))))
    image.load()
    return image


async def test_prompt_and_seed_decide_the_picture(drawing: Engine[TextToImage]) -> None:
    first, again, other_seed, other_prompt = [
        await _drawn(drawing, text_request(seed=seed, prompt=prompt))
        for seed, prompt in [(1, "a café"), (1, "a café"), (2, "a café"), (1, "a snowy hill")]
    ]
    assert first.format == "PNG"
    assert first.tobytes() == again.tobytes()
    assert len({first.tobytes(), other_seed.tobytes(), other_prompt.tobytes()}) == 3


async def test_nobodys_likeness_needs_no_weights(drawing: Engine[TextToImage]) -> None:
    assert (await _drawn(drawing, text_request(weights=None))).format == "PNG"


@pytest.mark.parametrize(
    ("mark", "code", "failure"),
    [("[refused]", "content_refused", "permanent"), ("[crash]", "runner_failed", "retryable")],
)
async def test_how_a_job_fails_is_understood(
    drawing: Engine[TextToImage], mark: str, code: str, failure: str
) -> None:
    job = await drawing.submit(text_request(prompt=f"a portrait {mark}"), ATTEMPT)
    failed = await ended(drawing, job.request_id)
    assert (failed.status, failed.error_code, failed.failure) == ("failed", code, failure)


async def test_weights_that_cannot_be_downloaded_may_be_offered_again(
    drawing: Engine[TextToImage],
) -> None:
    gone = LikenessWeights(trigger_word="OHWX", weights_url="http://127.0.0.1:9/none.safetensors")
    job = await drawing.submit(text_request(weights=gone), ATTEMPT)
    failed = await ended(drawing, job.request_id)
    assert (failed.error_code, failed.failure) == ("input_unreadable", "retryable")


async def test_what_fal_thinks_unsafe_is_flagged(sandbox: Sandbox) -> None:
    engine = fal_engine(sandbox)
    job = await engine.submit(text_request(prompt="a portrait [flagged]"), ATTEMPT)
    done = await ended(engine, job.request_id)
    assert (done.status, done.flagged, len(done.outputs)) == ("succeeded", (0,), 1)
    await engine.aclose()


async def test_what_replicate_thinks_unsafe_it_does_not_hand_out(sandbox: Sandbox) -> None:
    engine = replicate_engine(sandbox)
    job = await engine.submit(text_request(prompt="a portrait [flagged]"), ATTEMPT)
    done = await ended(engine, job.request_id)
    assert (done.status, done.error_code) == ("failed", "content_refused")
    await engine.aclose()


@pytest.mark.parametrize(
    ("error_type", "code", "failure"),
    [
        ("runner_scheduling_failure", "runner_failed", "fail_over"),
        ("startup_timeout", "timed_out", "fail_over"),
        ("request_timeout", "timed_out", "retryable"),
        ("runner_disconnected", "runner_failed", "retryable"),
        ("runner_incomplete_response", "runner_failed", "retryable"),
        ("internal_error", "runner_failed", "retryable"),
        ("client_cancelled", "cancelled", "permanent"),
    ],
)
async def test_fals_error_types_are_classes_of_failure(
    sandbox: Sandbox, error_type: str, code: str, failure: str
) -> None:
    world = world_of("fal fal-ai/triposr", sandbox)
    world.far.arm("status", operation="RUN *", message=error_type)  # type: ignore[attr-defined]
    job = await world.submit()
    failed = await ended(world.engine, job.request_id)
    assert (failed.error_code, failed.failure) == (code, failure)
    await world.engine.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["fal fal-ai/triposr", "replicate cjwbw/sadtalker"])
@pytest.mark.parametrize("garbage", ["nothing", "shape"])
async def test_a_result_without_files_is_none(sandbox: Sandbox, name: str, garbage: str) -> None:
    world = world_of(name, sandbox)
    world.far.arm("garbage", operation="RUN *", message=garbage)  # type: ignore[attr-defined]
    job = await world.submit()
    failed = await ended(world.engine, job.request_id)
    assert (failed.status, failed.error_code, failed.failure) == (
        "failed",
        "no_output",
        "retryable",
    )
    await world.engine.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    ["fal fal-ai/flux-lora-fast-training", "fal fal-ai/sadtalker", "replicate cjwbw/sadtalker"],
)
async def test_progress_rises_to_a_hundred(sandbox: Sandbox, name: str) -> None:
    world = world_of(name, sandbox)
    job = await world.submit()
    seen = [job.progress]
    while job.status in ("queued", "running"):
        job = await world.engine.fetch(job.request_id)
        seen.append(job.progress)
        await asyncio.sleep(0.01)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) > 3
    await world.engine.aclose()  # type: ignore[attr-defined]


async def test_an_unstarted_job_that_the_platform_gives_up_has_failed(sandbox: Sandbox) -> None:
    engine = replicate_engine(sandbox)
    job = await engine.submit(text_request(prompt="[abort]"), ATTEMPT)
    failed = await ended(engine, job.request_id)
    assert (failed.status, failed.error_code) == ("failed", "cancelled")
    await engine.aclose()


@pytest.fixture
async def listing(sandbox: Sandbox) -> AsyncIterator[EngineWorld]:
    world = world_of("replicate cjwbw/sadtalker", sandbox)
    yield world
    await world.engine.aclose()  # type: ignore[attr-defined]


async def test_a_job_is_known_by_its_input_whatever_its_addresses_are_signed_with(
    listing: EngineWorld,
) -> None:
    """Its version and what it is made from; what came before does not count."""
    signed = "http://127.0.0.1:9/face.png?expires=1&signature=a"
    request = msgspec.structs.replace(listing.request, image_url=signed)
    taken = await listing.engine.submit(request, OTHER_ATTEMPT)
    asked = msgspec.structs.replace(request, image_url=signed.replace("1&signature=a", "2&s=b"))

    async def found(since: datetime) -> EngineJob | None:
        return await listing.engine.find(asked, ATTEMPT, since=since, known=())

    now = datetime.now(UTC)
    job = await found(now)
    assert job is not None
    assert job.request_id == taken.request_id
    assert await found(now + timedelta(minutes=5)) is None


async def test_the_list_is_read_to_its_end(listing: EngineWorld) -> None:
    before = datetime.now(UTC)
    taken = await listing.submit()
    await asyncio.gather(
        *(
            listing.engine.submit(listing.another_request(number), OTHER_ATTEMPT)
            for number in range(105)
        )
    )
    job = await listing.find(since=before)
    assert job is not None
    assert job.request_id == taken.request_id


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (403, OutcomeUnknown)])
async def test_a_list_that_cannot_be_had_tells_nothing(
    listing: EngineWorld, status: int, error: type[Exception]
) -> None:
    listing.far.arm("status", operation="GET /v1/predictions", status=status)  # type: ignore[attr-defined]
    with pytest.raises(error):
        await listing.find(since=datetime.now(UTC))


async def test_a_photo_shows_the_scene(sandbox: Sandbox) -> None:
    engine = fal_engine(sandbox, fal.FLUX_KONTEXT_LORA)
    results = []
    for colour in ((10, 20, 90), (250, 230, 160)):
        buffer = io.BytesIO()
        Image.new("RGB", (600, 400), colour).save(buffer, "PNG")
        request = msgspec.structs.replace(
            request_of(PhotoToImage), scene_image_url=data_url(buffer.getvalue(), "image/png")
        )
        results.append(await _drawn(engine, request))
    night, day = (image.convert("L").resize((1, 1)).getpixel((0, 0)) for image in results)
    assert isinstance(night, int | float)
    assert isinstance(day, int | float)
    assert day > night + 50
    assert results[0].width > results[0].height
    assert ImageChops.difference(results[0], results[1]).getbbox() is not None
    await engine.aclose()


async def test_trained_weights_serve_for_images(sandbox: Sandbox) -> None:
    trainer, engine = fal_engine(sandbox, fal.FAST_TRAINING), fal_engine(sandbox)
    job = await trainer.submit(request_of(TrainLikeness), ATTEMPT)
    done = await ended(trainer, job.request_id)
    weights = LikenessWeights(trigger_word="OHWX", weights_url=str(done.outputs[0].url))
    image = await engine.submit(text_request(weights=weights), ATTEMPT)
    assert (await ended(engine, image.request_id)).status == "succeeded"
    await trainer.aclose()
    await engine.aclose()


@pytest.mark.parametrize(
    "content", [b"not a zip", archive(images=0)], ids=["no archive", "no images"]
)
async def test_an_archive_without_images_fails(sandbox: Sandbox, content: bytes) -> None:
    trainer = fal_engine(sandbox, fal.PORTRAIT_TRAINING)
    job = await trainer.submit(training_request(content), ATTEMPT)
    failed = await ended(trainer, job.request_id)
    assert (failed.status, failed.error_code) == ("failed", "input_unreadable")
    await trainer.aclose()


async def test_what_an_app_does_not_accept_is_rejected(sandbox: Sandbox) -> None:
    trainer = fal_engine(sandbox, fal.FAST_TRAINING)
    greedy = msgspec.structs.replace(request_of(TrainLikeness), steps=1_000_000)
    with pytest.raises(Rejected) as refusal:
        await trainer.submit(greedy, ATTEMPT)
    assert refusal.value.reason == "invalid_input"
    await trainer.aclose()


async def test_everything_is_billed_once_and_by_its_attempt(sandbox: Sandbox) -> None:
    engine = fal_engine(sandbox, fal.TRIPOSR)
    job = await engine.submit(request_of(ImageToMesh), ATTEMPT)
    await ended(engine, job.request_id)
    (billed,) = sandbox.http.get(f"{sandbox.url}/control/billed").json()
    assert (billed["request_id"], billed["model"]) == (job.request_id, engine.model)
    assert (billed["units"], billed["attempt"]) == (1.0, str(ATTEMPT.attempt_id))
    await engine.aclose()
