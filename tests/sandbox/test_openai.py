"""The sandbox speaks OpenAI's protocol, and counts what it charges for."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.ffmpeg.processor import FfmpegVideos
from entrypoints.sandbox.failures import Failure
from tests.sandbox.image_providers import CONFIG, ImageProviders, client_of
from tests.sandbox.server import Sandbox

SPEECH = {"model": "tts-1", "input": "good morning everybody", "voice": "nova"}


def chat(prompt: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": "."}, {"role": "user", "content": prompt}]
    return {"model": "gpt-4o-mini", "messages": messages}


@pytest.fixture
def providers() -> ImageProviders:
    return ImageProviders()


@pytest.fixture
async def openai(providers: ImageProviders) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(providers, f"Bearer {CONFIG.openai_api_key}") as client:
        yield client


async def test_a_prompt_becomes_richer_and_keeps_its_words(openai: httpx.AsyncClient) -> None:
    answers = [
        (await openai.post("/openai/v1/chat/completions", json=chat("a pier at dawn"))).json()
        for _ in range(2)
    ]
    words = [answer["choices"][0]["message"]["content"] for answer in answers]
    assert words[0] == words[1]
    assert words[0].startswith("a pier at dawn, ")


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp3", "mp3"), ("wav", "pcm_s16le"), ("flac", "flac"), ("opus", "opus")]
)
async def test_speech_can_be_heard(openai: httpx.AsyncClient, kind: str, codec: str) -> None:
    answer = await openai.post("/openai/v1/audio/speech", json=SPEECH | {"response_format": kind})
    facts = await FfmpegVideos().inspect_audio(answer.raise_for_status().content)
    assert facts.codec == codec
    assert facts.duration_ms > 300
    assert answer.headers["content-type"] == facts.content_type


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"voice": "nobody"}, 400, "invalid_value"),
        ({"model": "tts-9"}, 404, "model_not_found"),
        ({"input": ""}, 400, "invalid_request_error"),
        ({"input": "say it [refused]"}, 400, "content_policy_violation"),
        ({"input": "say it [crash]"}, 500, "server_error"),
    ],
)
async def test_speech_that_is_not_to_be(
    openai: httpx.AsyncClient, change: dict[str, str], status: int, code: str
) -> None:
    answer = await openai.post("/openai/v1/audio/speech", json=SPEECH | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_without_the_key_there_is_no_access(providers: ImageProviders) -> None:
    async with client_of(providers, "Bearer wrong") as client:
        assert (await client.get("/openai/v1/models")).status_code == 401


async def test_too_many_are_told_when_to_come_back(
    providers: ImageProviders, openai: httpx.AsyncClient
) -> None:
    failure = Failure(provider="openai", kind="status", status=429, retry_after_s=7)
    providers.failures.arm(failure)
    answer = await openai.post("/openai/v1/audio/speech", json=SPEECH)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


async def test_models_are_listed(openai: httpx.AsyncClient) -> None:
    listed = (await openai.get("/openai/v1/models")).json()
    assert "gpt-4o-mini" in [model["id"] for model in listed["data"]]


def test_everything_taken_is_on_the_bill(sandbox: Sandbox) -> None:
    keys = {"Authorization": "Key sandbox:fal"}
    hook = {"fal_webhook": "http://127.0.0.1:9/hooks?attempt=0194-a"}
    app = f"{sandbox.url}/fal/fal-ai/flux-lora"
    sandbox.http.post(app, json={"prompt": "a pier"}, params=hook, headers=keys)
    sandbox.http.post(app, json={"prompt": "a pier [crash]"}, params=hook, headers=keys)
    speech = f"{sandbox.url}/openai/v1/audio/speech"
    sandbox.http.post(speech, json=SPEECH, headers={"Authorization": "Bearer sk-sandbox"})
    for _ in range(100):
        bill = sandbox.http.get(f"{sandbox.url}/control/billed").json()
        if not any(one["status"] in ("IN_QUEUE", "IN_PROGRESS") for one in bill):
            break
        time.sleep(0.05)
    assert [(one["provider"], one["status"], one["units"], one["attempt"]) for one in bill] == [
        ("fal", "COMPLETED", 1.0, "0194-a"),
        ("fal", "ERROR", 0.0, "0194-a"),
        ("openai", "succeeded", 22.0, ""),
    ]
    sandbox.control("reset")
    assert sandbox.http.get(f"{sandbox.url}/control/billed").json() == []
