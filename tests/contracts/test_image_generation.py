"""What every ImageGenerator promises: the fake, fal and Replicate, the last two over HTTP."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from PIL import Image, ImageChops

from adapters.fal.images import FalImageGenerator
from adapters.memory.generation import MemoryImageGenerator
from adapters.replicate.images import ReplicateImageGenerator, nearest_aspect_ratio
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.generation import GenerationMode, ImageGenerator
from tests.contracts.generation_worlds import (
    ATTEMPT,
    ImageWorld,
    MemoryFarSide,
    SandboxFarSide,
    data_url,
    ended,
    fal_images,
    image_request,
    replicate_images,
)
from tests.pictures import picture
from tests.sandbox.server import Sandbox


@pytest.fixture(params=["memory", "fal photo", "fal text", "replicate"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ImageWorld]:
    if request.param == "memory":
        fake = MemoryImageGenerator(modes=["text"])
        yield ImageWorld(fake, MemoryFarSide(fake), "text")
        return
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    provider, _, mode_name = request.param.partition(" ")
    mode: GenerationMode = "photo" if mode_name == "photo" else "text"
    real = fal_images(sandbox, mode) if provider == "fal" else replicate_images(sandbox)
    submission = "POST /*" if provider == "fal" else "POST */predictions"
    far = SandboxFarSide(sandbox, real, provider=provider, submission=submission)
    yield ImageWorld(real, far, mode)
    await real.aclose()


async def test_a_job_is_queued_and_ends_with_an_image(world: ImageWorld) -> None:
    job = await world.generator.submit(image_request(world.mode), ATTEMPT)
    assert (job.status, job.progress) == ("queued", 0)
    await world.far.succeed(job.request_id)
    done = await world.generator.fetch(job.request_id)
    assert (done.status, done.progress, done.error_code) == ("succeeded", 100, None)
    assert (len(done.output_urls), done.seed) == (1, 41)


async def test_a_throttled_submission_starts_nothing(world: ImageWorld) -> None:
    world.far.next_is_throttled()
    with pytest.raises(Unavailable) as refusal:
        await world.generator.submit(image_request(world.mode), ATTEMPT)
    assert refusal.value.retry_after_s is not None
    assert world.far.started() == 0


async def test_a_broken_provider_is_asked_exactly_once(world: ImageWorld) -> None:
    world.far.next_breaks()
    with pytest.raises(Unavailable):
        await world.generator.submit(image_request(world.mode), ATTEMPT)
    assert world.far.started() == 0


async def test_a_silence_after_acceptance_is_unknown_and_one_job_at_most(
    world: ImageWorld,
) -> None:
    world.far.next_is_taken_in_silence()
    with pytest.raises(OutcomeUnknown):
        await world.generator.submit(image_request(world.mode), ATTEMPT)
    assert world.far.started() == 1


async def test_a_refused_submission_is_rejected_with_a_reason(world: ImageWorld) -> None:
    world.far.next_is_refused()
    with pytest.raises(Rejected) as refusal:
        await world.generator.submit(image_request(world.mode), ATTEMPT)
    assert refusal.value.reason in ("content_refused", "invalid_input")
    assert world.far.started() == 0


async def test_a_job_that_the_content_policy_declines_is_not_retried(world: ImageWorld) -> None:
    job = await world.generator.submit(image_request(world.mode), ATTEMPT)
    await world.far.refuse(job.request_id)
    declined = await world.generator.fetch(job.request_id)
    assert (declined.status, declined.error_code) == ("failed", "content_refused")
    assert not declined.retryable
    assert declined.output_urls == ()


async def test_a_job_whose_machine_fails_may_be_tried_again(world: ImageWorld) -> None:
    job = await world.generator.submit(image_request(world.mode), ATTEMPT)
    await world.far.crash(job.request_id)
    crashed = await world.generator.fetch(job.request_id)
    assert (crashed.status, crashed.error_code) == ("failed", "runner_failed")
    assert crashed.retryable


async def test_a_cancelled_job_has_failed(world: ImageWorld) -> None:
    job = await world.generator.submit(image_request(world.mode), ATTEMPT)
    await world.generator.cancel(job.request_id)
    cancelled = await world.generator.fetch(job.request_id)
    assert (cancelled.status, cancelled.error_code) == ("failed", "cancelled")
    assert not cancelled.retryable


async def test_cancelling_too_late_changes_nothing(world: ImageWorld) -> None:
    job = await world.generator.submit(image_request(world.mode), ATTEMPT)
    await world.far.succeed(job.request_id)
    await world.generator.cancel(job.request_id)
    await world.generator.cancel("unheard-of")
    assert (await world.generator.fetch(job.request_id)).status == "succeeded"


async def test_an_unknown_job_is_rejected(world: ImageWorld) -> None:
    with pytest.raises(Rejected) as refusal:
        await world.generator.fetch("unheard-of")
    assert refusal.value.reason == "not_found"


async def test_a_generator_declines_the_mode_that_it_does_not_know(world: ImageWorld) -> None:
    other: GenerationMode = "text" if world.mode == "photo" else "photo"
    with pytest.raises(Rejected) as refusal:
        await world.generator.submit(image_request(other), ATTEMPT)
    assert refusal.value.reason == "unsupported_mode"
    assert world.far.started() == 0


# What only the real ones can show.


@pytest.fixture(params=["fal", "replicate"])
async def real(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[ImageGenerator]:
    found = fal_images(sandbox, "text") if request.param == "fal" else replicate_images(sandbox)
    yield found
    await found.aclose()


async def _image(job_url: str) -> Image.Image:
    async with httpx.AsyncClient() as client:
        answer = await client.get(job_url)
    image = Image.open(io.BytesIO(answer.raise_for_status().content))
    image.load()
    return image


async def _drawn(generator: ImageGenerator, **changes: object) -> Image.Image:
    job = await generator.submit(image_request(**changes), ATTEMPT)  # type: ignore[arg-type]
    done = await ended(generator, job.request_id)
    return await _image(done.output_urls[0])


async def test_prompt_and_seed_decide_the_picture(real: ImageGenerator) -> None:
    first, again, other_seed, other_prompt = [
        await _drawn(real, seed=seed, prompt=prompt)
        for seed, prompt in [(1, "a café"), (1, "a café"), (2, "a café"), (1, "a snowy hill")]
    ]
    assert first.format == "PNG"
    assert first.tobytes() == again.tobytes()
    assert len({first.tobytes(), other_seed.tobytes(), other_prompt.tobytes()}) == 3


@pytest.mark.parametrize(
    ("mark", "code", "retryable"),
    [
        ("[nsfw]", "content_refused", False),
        ("[refused]", "content_refused", False),
        ("[crash]", "runner_failed", True),
    ],
)
async def test_how_a_job_fails_is_understood(
    real: ImageGenerator, mark: str, code: str, retryable: bool
) -> None:
    job = await real.submit(image_request(prompt=f"a portrait {mark}"), ATTEMPT)
    failed = await ended(real, job.request_id)
    assert (failed.status, failed.error_code, failed.retryable) == ("failed", code, retryable)


async def test_weights_that_cannot_be_downloaded_may_be_offered_again(
    real: ImageGenerator,
) -> None:
    request = image_request(weights_url="http://127.0.0.1:9/none.safetensors")
    job = await real.submit(request, ATTEMPT)
    failed = await ended(real, job.request_id)
    assert (failed.error_code, failed.retryable) == ("input_unreadable", True)


async def test_an_unstarted_job_that_the_platform_gives_up_has_failed(sandbox: Sandbox) -> None:
    generator = replicate_images(sandbox)
    job = await generator.submit(image_request(prompt="[abort]"), ATTEMPT)
    failed = await ended(generator, job.request_id)
    assert (failed.status, failed.error_code) == ("failed", "cancelled")
    await generator.aclose()


async def test_photo_mode_shows_the_scene(sandbox: Sandbox) -> None:
    generator = fal_images(sandbox, "photo")
    results = []
    for kind in ("night", "day"):
        colour = (10, 20, 90) if kind == "night" else (250, 230, 160)
        buffer = io.BytesIO()
        Image.new("RGB", (600, 400), colour).save(buffer, "PNG")
        request = image_request("photo", scene_image_url=data_url(buffer.getvalue(), "image/png"))
        job = await generator.submit(request, ATTEMPT)
        results.append(await _image((await ended(generator, job.request_id)).output_urls[0]))
    night, day = (image.convert("L").resize((1, 1)).getpixel((0, 0)) for image in results)
    assert isinstance(night, int | float)
    assert isinstance(day, int | float)
    assert day > night + 50
    assert results[0].width > results[0].height
    assert ImageChops.difference(results[0], results[1]).getbbox() is not None
    await generator.aclose()


async def test_photo_mode_needs_a_scene(sandbox: Sandbox) -> None:
    generator = fal_images(sandbox, "photo")
    with pytest.raises(Rejected):
        await generator.submit(image_request("photo", scene_image_url=None), ATTEMPT)
    await generator.aclose()


async def test_a_wrong_key_is_rejected(sandbox: Sandbox) -> None:
    fal = FalImageGenerator(api_key="wrong", mode="text", base_url=f"{sandbox.url}/fal")
    replicate = ReplicateImageGenerator(api_token="wrong", base_url=f"{sandbox.url}/replicate")
    for generator in (fal, replicate):
        with pytest.raises(Rejected) as refusal:
            await generator.submit(image_request(), ATTEMPT)
        assert refusal.value.reason == "http_401"
        await generator.aclose()


@pytest.mark.parametrize("model", ["somebody/portraits:" + "a" * 64, "b" * 64])
async def test_replicate_runs_a_version_as_well(sandbox: Sandbox, model: str) -> None:
    generator = replicate_images(sandbox, model=model)
    job = await generator.submit(image_request(), ATTEMPT)
    assert (await ended(generator, job.request_id)).status == "succeeded"
    await generator.aclose()


def test_the_nearest_of_the_known_proportions_is_asked_for() -> None:
    assert nearest_aspect_ratio(1000, 990) == "1:1"
    assert nearest_aspect_ratio(768, 1024) == "3:4"
    assert nearest_aspect_ratio(1920, 1080) == "16:9"


# Exactly one request, whatever the wire does. The far side here is a script, not the sandbox.

Wire = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Recorder(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire) -> None:
        self.requests: list[httpx.Request] = []
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await self._wire(request)


async def _refuses_to_connect(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def _breaks_while_reading(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


async def _breaks_in_the_body(request: httpx.Request) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"request_id"'
        raise httpx.RemoteProtocolError("cut")

    return httpx.Response(200, content=body())


async def _never_answers(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _babbles(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<html>welcome</html>")


def _answers(status: int, **headers: str) -> Wire:
    async def wire(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text="nginx", headers=headers)

    return wire


WIRES: list[tuple[Wire, type[Exception]]] = [
    (_refuses_to_connect, Unavailable),
    (_breaks_while_reading, OutcomeUnknown),
    (_breaks_in_the_body, OutcomeUnknown),
    (_never_answers, OutcomeUnknown),
    (_babbles, OutcomeUnknown),
    (_answers(408), Unavailable),
    (_answers(409), Unavailable),
    (_answers(429, **{"retry-after": "7"}), Unavailable),
    (_answers(500), Unavailable),
    (_answers(502), Unavailable),
    (_answers(503), Unavailable),
    (_answers(504), OutcomeUnknown),
    (_answers(402), Rejected),
]


def _over(recorder: Recorder, provider: str) -> FalImageGenerator | ReplicateImageGenerator:
    if provider == "fal":
        return FalImageGenerator(api_key="k", mode="text", timeout_s=0.3, transport=recorder)
    return ReplicateImageGenerator(api_token="t", timeout_s=0.3, transport=recorder)


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize(("wire", "error"), WIRES)
async def test_a_submission_is_one_request(
    provider: str, wire: Wire, error: type[Exception]
) -> None:
    recorder = Recorder(wire)
    generator = _over(recorder, provider)
    async with asyncio.timeout(2):
        with pytest.raises(error):
            await generator.submit(image_request(), ATTEMPT)
    assert len(recorder.requests) == 1
    await generator.aclose()


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize(
    "wire", [_breaks_while_reading, _never_answers, _babbles, _answers(429), _answers(503)]
)
async def test_a_question_fails_at_once_and_may_be_asked_again(provider: str, wire: Wire) -> None:
    recorder = Recorder(wire)
    generator = _over(recorder, provider)
    async with asyncio.timeout(2):
        with pytest.raises(Unavailable):
            await generator.fetch("some-job")
    assert len(recorder.requests) == 1
    await generator.aclose()


async def test_retry_after_is_handed_on() -> None:
    for provider in ("fal", "replicate"):
        generator = _over(Recorder(_answers(429, **{"retry-after": "7"})), provider)
        with pytest.raises(Unavailable) as refusal:
            await generator.submit(image_request(), ATTEMPT)
        assert refusal.value.retry_after_s == 7
        await generator.aclose()


async def test_an_error_does_not_quote_the_request() -> None:
    async def quoting(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            422, json={"detail": [{"loc": ["body", "prompt"], "msg": "SECRET", "type": "SECRET"}]}
        )

    for provider in ("fal", "replicate"):
        generator = _over(Recorder(quoting), provider)
        with pytest.raises(Rejected) as refusal:
            await generator.submit(image_request(prompt="SECRET"), ATTEMPT)
        assert "SECRET" not in f"{refusal.value} {refusal.value.facts}"
        await generator.aclose()


async def test_the_scene_may_be_unreadable(sandbox: Sandbox) -> None:
    generator = fal_images(sandbox, "photo")
    broken = data_url(picture()[:40], "image/png")
    job = await generator.submit(image_request("photo", scene_image_url=broken), ATTEMPT)
    assert (await ended(generator, job.request_id)).error_code == "input_unreadable"
    await generator.aclose()
