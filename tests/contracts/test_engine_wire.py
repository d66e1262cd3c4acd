"""Exactly one request, whatever the wire does. The far side here is a script, not the sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from adapters.fal import models as fal
from adapters.fal.engine import FalEngine
from adapters.replicate import models as replicate
from adapters.replicate.engine import ReplicateEngine
from adapters.replicate.models import nearest_aspect_ratio
from application.ports.engines import CharacterToImage
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests.contracts.engine_worlds import ATTEMPT, request_of, text_request
from tests.sandbox.server import Sandbox

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


def _over(recorder: Recorder, provider: str) -> FalEngine[Any] | ReplicateEngine[Any]:
    if provider == "fal":
        return FalEngine(fal.FLUX_LORA, api_key="k", timeout_s=0.3, transport=recorder)
    model = replicate.FLUX_DEV_LORA
    return ReplicateEngine(model, api_token="t", timeout_s=0.3, transport=recorder)


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize(("wire", "error"), WIRES)
async def test_a_submission_is_one_request(
    provider: str, wire: Wire, error: type[Exception]
) -> None:
    recorder = Recorder(wire)
    engine = _over(recorder, provider)
    async with asyncio.timeout(2):
        with pytest.raises(error):
            await engine.submit(text_request(), ATTEMPT)
    assert len(recorder.requests) == 1
    await engine.aclose()


async def test_fal_is_asked_to_keep_nothing_for_long() -> None:
    recorder = Recorder(_answers(503))
    engine = _over(recorder, "fal")
    with pytest.raises(Unavailable):
        await engine.submit(text_request(), ATTEMPT)
    (request,) = recorder.requests
    assert request.headers["x-fal-store-io"] == "0"
    asked = json.loads(request.headers["x-fal-object-lifecycle-preference"])
    assert asked == {"expiration_duration_seconds": 86400}
    await engine.aclose()


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize(
    "wire", [_breaks_while_reading, _never_answers, _babbles, _answers(429), _answers(503)]
)
async def test_a_question_fails_at_once_and_may_be_asked_again(provider: str, wire: Wire) -> None:
    recorder = Recorder(wire)
    engine = _over(recorder, provider)
    async with asyncio.timeout(2):
        with pytest.raises(Unavailable):
            await engine.fetch("some-job")
    assert len(recorder.requests) == 1
    await engine.aclose()


async def test_retry_after_is_handed_on() -> None:
    for provider in ("fal", "replicate"):
        engine = _over(Recorder(_answers(429, **{"retry-after": "7"})), provider)
        with pytest.raises(Unavailable) as refusal:
            await engine.submit(text_request(), ATTEMPT)
        assert refusal.value.retry_after_s == 7
        await engine.aclose()


async def test_an_error_does_not_quote_the_request() -> None:
    async def quoting(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            422, json={"detail": [{"loc": ["body", "prompt"], "msg": "SECRET", "type": "SECRET"}]}
        )

    for provider in ("fal", "replicate"):
        engine = _over(Recorder(quoting), provider)
        with pytest.raises(Rejected) as refusal:
            await engine.submit(text_request(prompt="SECRET"), ATTEMPT)
        assert "SECRET" not in f"{refusal.value} {refusal.value.facts}"
        await engine.aclose()


async def test_a_wrong_key_is_rejected(sandbox: Sandbox) -> None:
    wrong: list[FalEngine[Any] | ReplicateEngine[Any]] = [
        FalEngine(fal.FLUX_LORA, api_key="wrong", base_url=f"{sandbox.url}/fal"),
        ReplicateEngine(
            replicate.FLUX_DEV_LORA, api_token="wrong", base_url=f"{sandbox.url}/replicate"
        ),
    ]
    for engine in wrong:
        with pytest.raises(Rejected) as refusal:
            await engine.submit(text_request(), ATTEMPT)
        assert refusal.value.reason == "http_401"
        await engine.aclose()


def test_the_nearest_of_the_known_proportions_is_asked_for() -> None:
    assert nearest_aspect_ratio(1000, 990) == "1:1"
    assert nearest_aspect_ratio(768, 1024) == "3:4"
    assert nearest_aspect_ratio(1920, 1080) == "16:9"


def test_a_likeness_is_called_by_its_trigger_word_once() -> None:
    for prompt in ("at sea", "OHWX at sea"):
        request = text_request(prompt=prompt)
        for given in (
            fal.FLUX_LORA.arguments(request),
            replicate.FLUX_DEV_LORA.given(request),
        ):
            assert given["prompt"].count("OHWX") == 1


def test_photomaker_is_told_where_the_person_goes() -> None:
    request = request_of(CharacterToImage)
    assert fal.PHOTOMAKER.arguments(request)["prompt"].startswith("a person img, ")


def test_sizes_stay_within_what_fal_takes() -> None:
    wide = fal.FLUX_LORA.arguments(text_request(width=4000, height=100))
    assert wide["image_size"] == {"width": 2048, "height": 256}
