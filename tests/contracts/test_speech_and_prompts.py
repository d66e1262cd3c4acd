"""What answers at once: speech, and prompts made richer; the fakes, and OpenAI's protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapters.ffmpeg.processor import FfmpegVideos
from adapters.memory.prompts import MemoryPrompts
from adapters.openai.calls import OpenAiCalls
from adapters.openai.prompts import OpenAiPrompts
from adapters.openai.speech import OpenAiSpeech
from application.ports.engines import PromptEnhancer, PromptWish, TextToSpeech
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable
from tests.contracts.engine_worlds import ATTEMPT, request_of
from tests.sandbox.server import Sandbox

KEY = "sk-sandbox"


@pytest.fixture
async def calls(sandbox: Sandbox) -> AsyncIterator[OpenAiCalls]:
    made = OpenAiCalls(api_key=KEY, base_url=f"{sandbox.url}/openai/v1", timeout_s=10)
    yield made
    await made.aclose()


def arm(sandbox: Sandbox, kind: str, **settings: object) -> None:
    sandbox.control("failures", provider="openai", kind=kind, **settings)


class Writing:
    """An enhancer, and a way to make its next answer fail."""

    def __init__(self, enhancer: PromptEnhancer, fail: Callable[[ProviderError], None]) -> None:
        self.enhancer = enhancer
        self.fail = fail


@pytest.fixture(params=["memory", "openai"])
def writing(request: pytest.FixtureRequest) -> Writing:
    if request.param == "memory":
        fake = MemoryPrompts()
        return Writing(fake, fake.fail_next)
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    calls: OpenAiCalls = request.getfixturevalue("calls")

    def fail(error: ProviderError) -> None:
        match error:
            case Rejected():
                arm(sandbox, "refuse", times=1)
            case OutcomeUnknown():
                arm(sandbox, "timeout_after_acceptance", times=1, latency_ms=10)
            case _:
                arm(sandbox, "status", times=1, status=429, retry_after_s=7)

    return Writing(OpenAiPrompts(calls), fail)


async def test_a_richer_prompt_keeps_what_was_asked_for(writing: Writing) -> None:
    richer = await writing.enhancer.enhance(PromptWish(prompt="a pier at dawn"))
    assert richer.startswith("a pier at dawn, ")


async def test_a_richer_prompt_is_no_longer_than_it_may_be(writing: Writing) -> None:
    richer = await writing.enhancer.enhance(PromptWish(prompt="a pier at dawn", max_chars=30))
    assert richer.startswith("a pier at dawn, ")
    assert len(richer) <= 30
    assert not richer.endswith((" ", ","))


async def test_a_style_is_told(writing: Writing) -> None:
    assert await writing.enhancer.enhance(PromptWish(prompt="a pier", style="film noir"))


@pytest.mark.parametrize(
    "error",
    [
        Rejected("no", provider="memory", reason="content_refused"),
        OutcomeUnknown("no answer", provider="memory"),
        Unavailable("busy", provider="memory", retry_after_s=7),
    ],
    ids=["refused", "unanswered", "busy"],
)
async def test_it_fails_in_one_of_three_ways(writing: Writing, error: ProviderError) -> None:
    writing.fail(error)
    with pytest.raises(type(error)) as failure:
        await writing.enhancer.enhance(PromptWish(prompt="a pier"))
    if isinstance(failure.value, Rejected):
        assert failure.value.reason == "content_refused"
    if isinstance(failure.value, Unavailable):
        assert failure.value.retry_after_s == 7
    assert await writing.enhancer.enhance(PromptWish(prompt="a pier"))


async def test_what_the_model_declines_is_refused(calls: OpenAiCalls, sandbox: Sandbox) -> None:
    arm(sandbox, "flag", times=1)
    with pytest.raises(Rejected) as refusal:
        await OpenAiPrompts(calls).enhance(PromptWish(prompt="a pier"))
    assert refusal.value.reason == "content_refused"


# Speech: an Engine whose jobs have ended when they are submitted.


def request(text: str = "good morning everybody", voice: str = "nova") -> TextToSpeech:
    return TextToSpeech(text=text, voice=voice)


async def test_speech_comes_in_the_answer(calls: OpenAiCalls) -> None:
    engine = OpenAiSpeech(calls)
    job = await engine.submit(request(), ATTEMPT)
    assert (job.status, job.progress, job.billed_units) == ("succeeded", 100, 22.0)
    (output,) = job.outputs
    assert (output.url, output.content_type) == (None, "audio/mpeg")
    facts = await FfmpegVideos().inspect_audio(output.content or b"")
    assert (facts.format, facts.duration_ms > 200) == ("mp3", True)
    await engine.cancel(job.request_id)
    with pytest.raises(Rejected) as refusal:
        await engine.fetch(job.request_id)
    assert refusal.value.reason == "not_found"


async def test_another_kind_of_request_is_not_sent(calls: OpenAiCalls, sandbox: Sandbox) -> None:
    from application.ports.engines import ImageToMesh

    with pytest.raises(Rejected) as refusal:
        await OpenAiSpeech(calls).submit(request_of(ImageToMesh), ATTEMPT)
    assert refusal.value.reason == "unsupported_request"
    assert sandbox.state()["openai"]["accepted"] == 0


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (request("[refused]"), "content_refused"),
        (request(voice="nobody"), "invalid_input"),
        (request("x" * 5000), "invalid_input"),
    ],
)
async def test_speech_that_is_declined(calls: OpenAiCalls, wish: TextToSpeech, reason: str) -> None:
    with pytest.raises(Rejected) as refusal:
        await OpenAiSpeech(calls).submit(wish, ATTEMPT)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (408, Unavailable),
        (409, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (504, OutcomeUnknown),
        (402, Rejected),
    ],
)
async def test_it_is_asked_exactly_once(
    calls: OpenAiCalls, sandbox: Sandbox, status: int, error: type[Exception]
) -> None:
    arm(sandbox, "status", status=status, times=1)
    with pytest.raises(error):
        await OpenAiSpeech(calls).submit(request(), ATTEMPT)
    assert sandbox.state()["openai"]["accepted"] == 0  # a second request would have been taken


@pytest.mark.parametrize("garbage", ["html", "nothing", "oversized"])
async def test_what_is_no_speech_is_no_output(
    calls: OpenAiCalls, sandbox: Sandbox, garbage: str
) -> None:
    arm(sandbox, "garbage", message=garbage)
    job = await OpenAiSpeech(calls).submit(request(), ATTEMPT)
    assert (job.status, job.error_code, job.failure) == ("failed", "no_output", "retryable")


async def test_an_answer_that_is_lost_is_unknown_and_charged_once(
    calls: OpenAiCalls, sandbox: Sandbox
) -> None:
    arm(sandbox, "timeout_after_acceptance", latency_ms=10)
    with pytest.raises(OutcomeUnknown):
        await OpenAiSpeech(calls).submit(request(), ATTEMPT)
    assert sandbox.state()["openai"]["accepted"] == 1


async def test_an_answer_that_does_not_come_is_unknown(sandbox: Sandbox) -> None:
    hasty = OpenAiCalls(api_key=KEY, base_url=f"{sandbox.url}/openai/v1", timeout_s=0.3)
    arm(sandbox, "latency", latency_ms=2000, times=1)
    async with asyncio.timeout(2):
        with pytest.raises(OutcomeUnknown):
            await OpenAiSpeech(hasty).submit(request(), ATTEMPT)
    await hasty.aclose()


async def test_nobody_at_the_address_is_unavailable() -> None:
    alone = OpenAiCalls(api_key=KEY, base_url="http://127.0.0.1:9/v1", timeout_s=2)
    with pytest.raises(Unavailable):
        await OpenAiSpeech(alone).submit(request(), ATTEMPT)
    with pytest.raises(Unavailable):
        await OpenAiPrompts(alone).enhance(PromptWish(prompt="a pier"))
    await alone.aclose()


async def test_a_wrong_key_is_rejected(sandbox: Sandbox) -> None:
    stranger = OpenAiCalls(api_key="wrong", base_url=f"{sandbox.url}/openai/v1")
    with pytest.raises(Rejected) as refusal:
        await OpenAiSpeech(stranger).submit(request(), ATTEMPT)
    assert refusal.value.reason == "http_401"
    await stranger.aclose()


async def test_an_error_does_not_quote_the_request(calls: OpenAiCalls) -> None:
    secret: Any = request(voice="SECRET")
    with pytest.raises(Rejected) as refusal:
        await OpenAiSpeech(calls).submit(secret, ATTEMPT)
    assert "SECRET" not in f"{refusal.value} {refusal.value.facts}"
