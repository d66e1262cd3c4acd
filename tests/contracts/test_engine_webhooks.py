"""What every ProviderWebhooks promises: the fake, and fal and Replicate with callbacks that the
sandbox really sent."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.fal.models import FAST_TRAINING
from adapters.fal.webhooks import FalWebhooks
from adapters.memory.engines import MemoryEngineWebhooks
from adapters.memory.system import ManualClock
from adapters.replicate.webhooks import ReplicateWebhooks
from application.ports.engines import (
    AttemptRef,
    Engine,
    EngineJob,
    EngineOutput,
    ProviderWebhooks,
    TrainLikeness,
    VerifiedCallback,
)
from application.ports.errors import Unavailable
from application.ports.webhooks import SignatureRefused
from entrypoints.sandbox.standard_webhooks import sign
from tests.contracts.engine_worlds import (
    ATTEMPT,
    fal_engine,
    replicate_engine,
    request_of,
    text_request,
)
from tests.sandbox.server import Sandbox

USER_ID = "sandbox-user"
SECRET = "whsec_c2FuZGJveC1yZXBsaWNhdGUtc2VjcmV0"
Callback = tuple[dict[str, str], bytes]


class Receiver:
    """A web server that keeps the callbacks it is sent."""

    def __init__(self) -> None:
        self.callbacks: asyncio.Queue[Callback] = asyncio.Queue()
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/webhooks?attempt={ATTEMPT.attempt_id}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def next(self) -> Callback:
        async with asyncio.timeout(15):
            return await self.callbacks.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        named = (line.split(": ", 1) for line in head)
        headers = {name.lower(): value for name, value in named}
        body = await reader.readexactly(int(headers["content-length"]))
        self.callbacks.put_nowait((headers, body))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


class Line:
    """One provider's callbacks, genuine and otherwise."""

    def __init__(self, webhooks: ProviderWebhooks) -> None:
        self.webhooks = webhooks

    async def genuine(self, prompt: str = "a harbour") -> Callback:
        raise NotImplementedError

    async def aged(self, seconds: int) -> VerifiedCallback:
        """Verify a genuine callback as if it were `seconds` old, or from the future if negative."""
        raise NotImplementedError


class MemoryLine(Line):
    def __init__(self) -> None:
        self._clock = ManualClock()
        self._memory = MemoryEngineWebhooks(clock=self._clock)
        super().__init__(self._memory)

    async def genuine(self, prompt: str = "a harbour") -> Callback:
        refused = "[refused]" in prompt
        job = EngineJob(
            request_id="memory-1",
            status="failed" if refused else "succeeded",
            progress=0 if refused else 100,
            outputs=() if refused else (EngineOutput(url="https://results.example/1.png"),),
            error_code="content_refused" if refused else None,
            failure="permanent" if refused else None,
        )
        return self._memory.signed(job)

    async def aged(self, seconds: int) -> VerifiedCallback:
        headers, body = await self.genuine()
        self._clock.advance(timedelta(seconds=seconds))
        return await self.webhooks.verify(headers, body)


class FalLine(Line):
    def __init__(self, sandbox: Sandbox, receiver: Receiver) -> None:
        self._engine = fal_engine(sandbox)
        self._receiver = receiver
        self._clock = ManualClock(datetime.now(UTC))
        self._fal = FalWebhooks(
            user_id=USER_ID,
            clock=self._clock,
            jwks_url=f"{sandbox.url}/fal/.well-known/jwks.json",
        )
        super().__init__(self._fal)

    async def genuine(self, prompt: str = "a harbour") -> Callback:
        return await _called_back(self._engine, self._receiver, prompt)

    async def aged(self, seconds: int) -> VerifiedCallback:
        headers, body = await self.genuine()
        sent_at = datetime.fromtimestamp(int(headers["x-fal-webhook-timestamp"]), UTC)
        self._clock.advance(sent_at + timedelta(seconds=seconds) - self._clock.now())
        return await self.webhooks.verify(headers, body)

    async def close(self) -> None:
        await self._fal.aclose()
        await self._engine.aclose()


class ReplicateLine(Line):
    def __init__(self, sandbox: Sandbox, receiver: Receiver) -> None:
        self._engine = replicate_engine(sandbox)
        self._receiver = receiver
        super().__init__(ReplicateWebhooks(signing_secret=SECRET))

    async def genuine(self, prompt: str = "a harbour") -> Callback:
        return await _called_back(self._engine, self._receiver, prompt)

    async def aged(self, seconds: int) -> VerifiedCallback:
        headers, body = await self.genuine()
        then = int(datetime.now(UTC).timestamp()) - seconds
        return await self.webhooks.verify(sign(SECRET, headers["webhook-id"], then, body), body)

    async def close(self) -> None:
        await self._engine.aclose()


async def _called_back(engine: Engine[Any], receiver: Receiver, prompt: str) -> Callback:
    attempt = AttemptRef(attempt_id=ATTEMPT.attempt_id, webhook_url=receiver.url)
    await engine.submit(text_request(prompt=prompt), attempt)
    return await receiver.next()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = Receiver()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture(params=["memory", "fal", "replicate"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    if request.param == "memory":
        yield MemoryLine()
        return
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    started = Receiver()
    await started.start()
    real = (FalLine if request.param == "fal" else ReplicateLine)(sandbox, started)
    yield real
    await real.close()
    await started.stop()


async def test_a_genuine_callback_tells_of_its_job(line: Line) -> None:
    headers, body = await line.genuine()
    callback = await line.webhooks.verify(headers, body)
    assert callback.source == line.webhooks.provider
    assert callback.job.request_id == callback.request_id
    assert (callback.job.status, callback.job.progress) == ("succeeded", 100)
    assert callback.external_id != ""
    assert len(callback.job.outputs) == 1


async def test_a_callback_that_is_sent_again_has_the_same_external_id(line: Line) -> None:
    headers, body = await line.genuine()
    first = await line.webhooks.verify(headers, body)
    again = await line.webhooks.verify(headers, body)
    assert first == again


async def test_header_names_are_read_in_any_case(line: Line) -> None:
    headers, body = await line.genuine()
    await line.webhooks.verify({name.upper(): value for name, value in headers.items()}, body)


async def test_a_callback_may_tell_of_a_failure(line: Line) -> None:
    headers, body = await line.genuine("a harbour [refused]")
    callback = await line.webhooks.verify(headers, body)
    assert (callback.job.status, callback.job.error_code) == ("failed", "content_refused")
    assert callback.job.failure == "permanent"


async def test_a_changed_body_is_refused(line: Line) -> None:
    headers, body = await line.genuine()
    with pytest.raises(SignatureRefused):
        await line.webhooks.verify(headers, body.replace(b"succeeded", b"failed   ") + b" ")


async def test_a_callback_without_a_signature_is_refused(line: Line) -> None:
    headers, body = await line.genuine()
    bare = {name: value for name, value in headers.items() if "signature" not in name.lower()}
    with pytest.raises(SignatureRefused):
        await line.webhooks.verify(bare, body)
    with pytest.raises(SignatureRefused):
        await line.webhooks.verify({}, body)


async def test_a_garbled_signature_is_refused(line: Line) -> None:
    headers, body = await line.genuine()
    for garbage in ("", "zz", "v1,zz", "v1,!!", "00" * 64):
        garbled = {n: garbage if "signature" in n.lower() else v for n, v in headers.items()}
        with pytest.raises(SignatureRefused):
            await line.webhooks.verify(garbled, body)


@pytest.mark.parametrize("seconds", [290, -290])
async def test_a_clock_may_be_a_little_off(line: Line, seconds: int) -> None:
    assert (await line.aged(seconds)).job.status == "succeeded"


@pytest.mark.parametrize("seconds", [310, -310])
async def test_a_callback_out_of_its_time_is_refused(line: Line, seconds: int) -> None:
    with pytest.raises(SignatureRefused):
        await line.aged(seconds)


# fal: whose account, and which keys.


async def test_fals_signature_for_another_account_is_refused(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    engine = fal_engine(sandbox)
    headers, body = await _called_back(engine, receiver, "a harbour")
    stranger = FalWebhooks(
        user_id="somebody-else",
        clock=ManualClock(datetime.now(UTC)),
        jwks_url=f"{sandbox.url}/fal/.well-known/jwks.json",
    )
    with pytest.raises(SignatureRefused):
        await stranger.verify(headers, body)
    with pytest.raises(SignatureRefused):
        await stranger.verify({**headers, "x-fal-webhook-user-id": "somebody-else"}, body)
    await stranger.aclose()
    await engine.aclose()


class KeyServer(httpx.AsyncBaseTransport):
    """Hands out the sandbox's keys, or those of somebody else, and counts how often."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.asked = 0
        self.mode = "right"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.mode == "down":
            raise httpx.ConnectError("down", request=request)
        if self.mode == "wrong":
            other = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
            return httpx.Response(200, json={"keys": [other]})
        async with httpx.AsyncClient() as client:
            return httpx.Response(200, content=(await client.get(self._url)).content)


async def test_fals_keys_are_kept_for_a_day_and_asked_for_again_after_a_change(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    engine = fal_engine(sandbox)
    keys = KeyServer(f"{sandbox.url}/fal/.well-known/jwks.json")
    clock = ManualClock(datetime.now(UTC))
    webhooks = FalWebhooks(user_id=USER_ID, clock=clock, transport=keys)
    headers, body = await _called_back(engine, receiver, "a harbour")

    keys.mode = "down"
    with pytest.raises(Unavailable):
        await webhooks.verify(headers, body)
    keys.mode, keys.asked = "wrong", 0
    for _ in range(3):
        with pytest.raises(SignatureRefused):
            await webhooks.verify(headers, body)
    assert keys.asked == 1

    keys.mode = "right"
    clock.advance(timedelta(seconds=61))
    for _ in range(3):
        await webhooks.verify(headers, body)
    assert keys.asked == 2
    clock.advance(timedelta(seconds=200))
    await webhooks.verify(headers, body)
    assert keys.asked == 2
    await webhooks.aclose()
    await engine.aclose()


async def test_fal_tells_of_a_training(sandbox: Sandbox, receiver: Receiver) -> None:
    trainer = fal_engine(sandbox, FAST_TRAINING)
    attempt = AttemptRef(attempt_id=ATTEMPT.attempt_id, webhook_url=receiver.url)
    job = await trainer.submit(request_of(TrainLikeness), attempt)
    line = FalLine(sandbox, receiver)
    callback = await line.webhooks.verify(*await receiver.next())
    assert callback.request_id == job.request_id
    assert callback.job.outputs[0].url is not None
    await line.close()
    await trainer.aclose()


# Replicate: our attempt, and one callback for one job.


async def test_replicates_callback_names_our_attempt(sandbox: Sandbox, receiver: Receiver) -> None:
    line = ReplicateLine(sandbox, receiver)
    callback = await line.webhooks.verify(*await line.genuine())
    assert callback.attempt_id == ATTEMPT.attempt_id
    await line.close()


async def test_replicate_calls_back_once_for_a_job(sandbox: Sandbox, receiver: Receiver) -> None:
    line = ReplicateLine(sandbox, receiver)
    await line.genuine()
    sandbox.control("drain")
    assert receiver.callbacks.empty()
    await line.close()


async def test_replicates_secret_must_be_ours(sandbox: Sandbox, receiver: Receiver) -> None:
    line = ReplicateLine(sandbox, receiver)
    headers, body = await line.genuine()
    with pytest.raises(SignatureRefused):
        await ReplicateWebhooks(signing_secret="whsec_" + "b3RoZXI=").verify(headers, body)
    await line.close()
