"""What every ModelTrainer promises: the fake, and fal over HTTP."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.memory.generation import MemoryModelTrainer
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests.contracts.generation_worlds import (
    ATTEMPT,
    MemoryFarSide,
    SandboxFarSide,
    TrainingWorld,
    archive,
    data_url,
    ended,
    fal_images,
    fal_trainer,
    image_request,
    training_request,
)
from tests.sandbox.server import Sandbox


@pytest.fixture(params=["memory", "fal"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[TrainingWorld]:
    if request.param == "memory":
        fake = MemoryModelTrainer()
        yield TrainingWorld(fake, MemoryFarSide(fake))
        return
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    real = fal_trainer(sandbox)
    far = SandboxFarSide(sandbox, real, provider="fal", submission="POST /*")
    yield TrainingWorld(real, far)
    await real.aclose()


async def test_a_training_is_queued_and_ends_with_weights(world: TrainingWorld) -> None:
    job = await world.trainer.submit(training_request(), ATTEMPT)
    assert (job.status, job.progress) == ("queued", 0)
    await world.far.succeed(job.request_id)
    done = await world.trainer.fetch(job.request_id)
    assert (done.status, done.progress, done.error_code) == ("succeeded", 100, None)
    assert done.weights_url is not None
    assert done.output_urls == ()


async def test_a_throttled_training_starts_nothing(world: TrainingWorld) -> None:
    world.far.next_is_throttled()
    with pytest.raises(Unavailable):
        await world.trainer.submit(training_request(), ATTEMPT)
    assert world.far.started() == 0


async def test_a_silence_after_acceptance_is_unknown_and_one_training_at_most(
    world: TrainingWorld,
) -> None:
    world.far.next_is_taken_in_silence()
    with pytest.raises(OutcomeUnknown):
        await world.trainer.submit(training_request(), ATTEMPT)
    assert world.far.started() == 1


async def test_a_refused_training_is_rejected(world: TrainingWorld) -> None:
    world.far.next_is_refused()
    with pytest.raises(Rejected):
        await world.trainer.submit(training_request(), ATTEMPT)
    assert world.far.started() == 0


async def test_a_training_whose_machine_fails_may_be_tried_again(world: TrainingWorld) -> None:
    job = await world.trainer.submit(training_request(), ATTEMPT)
    await world.far.crash(job.request_id)
    crashed = await world.trainer.fetch(job.request_id)
    assert (crashed.status, crashed.error_code, crashed.retryable) == (
        "failed",
        "runner_failed",
        True,
    )


async def test_a_cancelled_training_has_failed(world: TrainingWorld) -> None:
    job = await world.trainer.submit(training_request(), ATTEMPT)
    await world.trainer.cancel(job.request_id)
    cancelled = await world.trainer.fetch(job.request_id)
    assert (cancelled.status, cancelled.error_code) == ("failed", "cancelled")


async def test_an_unknown_training_is_rejected(world: TrainingWorld) -> None:
    with pytest.raises(Rejected) as refusal:
        await world.trainer.fetch("unheard-of")
    assert refusal.value.reason == "not_found"


async def test_progress_of_a_training_rises_to_a_hundred(sandbox: Sandbox) -> None:
    trainer = fal_trainer(sandbox)
    job = await trainer.submit(training_request(), ATTEMPT)
    seen = [job.progress]
    while job.status in ("queued", "running"):
        job = await trainer.fetch(job.request_id)
        seen.append(job.progress)
        await asyncio.sleep(0.05)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) > 4
    await trainer.aclose()


async def test_the_weights_serve_for_images(sandbox: Sandbox) -> None:
    trainer, generator = fal_trainer(sandbox), fal_images(sandbox, "text")
    job = await trainer.submit(training_request(), ATTEMPT)
    weights_url = (await ended(trainer, job.request_id)).weights_url or ""
    async with httpx.AsyncClient() as client:
        content = (await client.get(weights_url)).raise_for_status().content
    (length,) = struct.unpack("<Q", content[:8])
    assert json.loads(content[8 : 8 + length])["__metadata__"]["trigger_word"] == "OHWX"
    image = await generator.submit(image_request(weights_url=weights_url), ATTEMPT)
    assert (await ended(generator, image.request_id)).status == "succeeded"
    await trainer.aclose()
    await generator.aclose()


@pytest.mark.parametrize(
    "content", [b"not a zip", archive(images=0)], ids=["no archive", "no images"]
)
async def test_an_archive_without_images_fails(sandbox: Sandbox, content: bytes) -> None:
    trainer = fal_trainer(sandbox)
    job = await trainer.submit(training_request(content), ATTEMPT)
    failed = await ended(trainer, job.request_id)
    assert (failed.status, failed.error_code) == ("failed", "input_unreadable")
    await trainer.aclose()


async def test_too_many_steps_are_rejected(sandbox: Sandbox) -> None:
    trainer = fal_trainer(sandbox)
    request = training_request()
    greedy = type(request)(
        trigger_word="OHWX",
        archive_url=data_url(archive(), "application/zip"),
        steps=1_000_000,
    )
    with pytest.raises(Rejected) as refusal:
        await trainer.submit(greedy, ATTEMPT)
    assert refusal.value.reason == "invalid_input"
    await trainer.aclose()
