"""What every RemoteFiles promises, and what the real one refuses of the network."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import httpx
import pytest

from adapters.httpx.remote_files import HttpxRemoteFiles
from adapters.memory.remote_files import MemoryRemoteFiles
from application.ports.errors import Unavailable
from application.ports.remote_files import RemoteFileRefused, RemoteFiles

PUBLIC = "93.184.216.34"


class World(Protocol):
    """Remote files, and the far side of them."""

    @property
    def files(self) -> RemoteFiles: ...

    def serve(self, url: str, content: bytes) -> None: ...

    def break_down(self, url: str) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.files = MemoryRemoteFiles()

    def serve(self, url: str, content: bytes) -> None:
        self.files.put(url, content)

    def break_down(self, url: str) -> None:
        self.files.fail(url)


class WebWorld:
    """A web whose names lead where `addresses` says, behind the real downloader."""

    def __init__(self) -> None:
        self.addresses = {"cdn.example": [PUBLIC]}
        self.answers: dict[str, httpx.Response] = {}
        self.requests: list[httpx.Request] = []
        self.files = HttpxRemoteFiles(
            trusted_origins=["http://127.0.0.1:12111"],
            timeout_s=1.0,
            resolve=self._resolve,
            transport=httpx.MockTransport(self._answer),
        )

    def serve(self, url: str, content: bytes) -> None:
        length = {"content-length": str(len(content))}
        self.answers[url] = httpx.Response(200, headers=length, stream=httpx.ByteStream(content))

    def break_down(self, url: str) -> None:
        self.answers[url] = httpx.Response(503)

    async def _resolve(self, host: str, port: int) -> list[str]:
        if host not in self.addresses:
            raise OSError("no such name")
        return self.addresses[host]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        url = f"{request.url.scheme}://{request.headers['host']}{request.url.path}"
        return self.answers.get(url, httpx.Response(404))


@pytest.fixture(params=["memory", "httpx"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    web = WebWorld()
    yield web
    await web.files.aclose()


@pytest.fixture
async def web() -> AsyncIterator[WebWorld]:
    world = WebWorld()
    yield world
    await world.files.aclose()


async def test_a_file_comes_back_whole(world: World) -> None:
    world.serve("https://cdn.example/a.png", b"0123456789")
    assert await world.files.fetch("https://cdn.example/a.png", max_bytes=10) == b"0123456789"


async def test_a_file_above_the_limit_is_refused(world: World) -> None:
    world.serve("https://cdn.example/a.png", b"0123456789")
    with pytest.raises(RemoteFileRefused) as refusal:
        await world.files.fetch("https://cdn.example/a.png", max_bytes=9)
    assert refusal.value.reason == "too_large"


async def test_a_file_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(RemoteFileRefused) as refusal:
        await world.files.fetch("https://cdn.example/none.png", max_bytes=9)
    assert refusal.value.reason == "missing"


async def test_a_server_in_trouble_is_worth_another_try(world: World) -> None:
    world.break_down("https://cdn.example/a.png")
    with pytest.raises(Unavailable):
        await world.files.fetch("https://cdn.example/a.png", max_bytes=9)


async def test_only_https_is_fetched(world: World) -> None:
    with pytest.raises(RemoteFileRefused) as refusal:
        await world.files.fetch("http://cdn.example/a.png", max_bytes=9)
    assert refusal.value.reason == "address"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_refused(
    web: WebWorld, address: str
) -> None:
    web.addresses["cdn.example"] = [PUBLIC, address]
    web.serve("https://cdn.example/a.png", b"secret")
    with pytest.raises(RemoteFileRefused) as refusal:
        await web.files.fetch("https://cdn.example/a.png", max_bytes=9)
    assert refusal.value.reason == "address"
    assert web.requests == []


async def test_the_connection_goes_to_the_address_that_was_checked(web: WebWorld) -> None:
    web.serve("https://cdn.example/a.png", b"x")
    await web.files.fetch("https://cdn.example/a.png", max_bytes=9)
    (sent,) = web.requests
    assert sent.url.host == PUBLIC
    assert sent.headers["host"] == "cdn.example"
    assert sent.extensions["sni_hostname"] == "cdn.example"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "https://user:word@cdn.example/a", "https:///a", "nonsense", ""]
)
async def test_anything_but_a_plain_address_is_refused(web: WebWorld, url: str) -> None:
    with pytest.raises(RemoteFileRefused) as refusal:
        await web.files.fetch(url, max_bytes=9)
    assert refusal.value.reason == "address"


async def test_a_redirect_is_not_followed(web: WebWorld) -> None:
    web.answers["https://cdn.example/a.png"] = httpx.Response(
        302, headers={"location": "http://169.254.169.254/"}
    )
    with pytest.raises(RemoteFileRefused) as refusal:
        await web.files.fetch("https://cdn.example/a.png", max_bytes=9)
    assert refusal.value.reason == "address"
    assert len(web.requests) == 1


async def test_a_trusted_origin_may_be_local(web: WebWorld) -> None:
    web.serve("http://127.0.0.1:12111/fal/files/a.png", b"drawn")
    url = "http://127.0.0.1:12111/fal/files/a.png"
    assert await web.files.fetch(url, max_bytes=9) == b"drawn"
    with pytest.raises(RemoteFileRefused):
        await web.files.fetch("http://127.0.0.1:5432/", max_bytes=9)


async def test_a_stream_that_is_longer_than_announced_is_cut_off(web: WebWorld) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    web.answers["https://cdn.example/a.png"] = httpx.Response(200, content=endless())
    with pytest.raises(RemoteFileRefused) as refusal:
        await web.files.fetch("https://cdn.example/a.png", max_bytes=5000)
    assert refusal.value.reason == "too_large"


async def test_a_server_that_dawdles_is_given_up(web: WebWorld) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.3)

    web.answers["https://cdn.example/a.png"] = httpx.Response(200, content=dripping())
    with pytest.raises(Unavailable):
        await web.files.fetch("https://cdn.example/a.png", max_bytes=5000)


async def test_a_name_that_is_not_known_is_worth_another_try(web: WebWorld) -> None:
    with pytest.raises(Unavailable):
        await web.files.fetch("https://gone.example/a.png", max_bytes=9)
