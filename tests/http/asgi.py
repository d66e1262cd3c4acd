"""The application in the test's own loop: its lifespan, HTTP and WebSocket clients over ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from litestar import Litestar


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The lifespan in a task of its own: fixtures are set up and torn down in different tasks."""
    stop = asyncio.Event()
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        try:
            async with app.lifespan():
                started.set_result(None)
                await stop.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    task = asyncio.create_task(hold())
    try:
        await started
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def client_of(
    app: Litestar, *, address: str = "203.0.113.7", base_url: str = "http://api.test"
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=(address, 40_000))  # type: ignore[arg-type]
    async with running(app), httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


class Socket:
    """The client's end of a WebSocket; what it sends and gets is JSON."""

    def __init__(self, *, to_client: int = 0) -> None:
        """`to_client` is how many messages the wire holds before the server waits; 0 is any."""
        self.closed_with: int | None = None
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.to_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue(to_client)

    async def send(self, **message: Any) -> None:
        await self.send_text(json.dumps(message, default=str))

    async def send_text(self, text: str) -> None:
        await self.to_server.put({"type": "websocket.receive", "text": text})

    async def receive(self, *, within_s: float = 5.0) -> Any:
        """The next message; `{"closed": code}` when the server has closed."""
        async with asyncio.timeout(within_s):
            event = await self.to_client.get()
        if event["type"] == "websocket.close":
            return {"closed": event.get("code")}
        return json.loads(event["text"])


class EventStream:
    """The client's end of a stream of server-sent events."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.to_client: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        self._received = ""
        self.ended = False

    async def started(self) -> None:
        async with asyncio.timeout(5):
            start = await self.to_client.get()
        self.status = start["status"]
        self.headers = {k.decode(): v.decode() for k, v in start["headers"]}

    async def block(self, *, within_s: float = 5.0) -> dict[str, str]:
        """The fields of the next block; a comment is the field without a name."""
        async with asyncio.timeout(within_s):
            while "\n\n" not in self._received:
                message = await self.to_client.get()
                self._received += message["body"].decode()
                self.ended = not message.get("more_body", False)
                if self.ended and "\n\n" not in self._received:
                    return {}
        block, _, self._received = self._received.partition("\n\n")
        return dict(_field(line) for line in block.splitlines())

    async def event(self, *, within_s: float = 5.0) -> tuple[int | None, Any]:
        """The next event's id and data, past comments."""
        while True:
            block = await self.block(within_s=within_s)
            if "data" in block:
                return int(block["id"]) if "id" in block else None, json.loads(block["data"])


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


@asynccontextmanager
async def stream_of(
    app: Litestar, path: str, *, query: str = "", headers: Mapping[str, str] | None = None
) -> AsyncIterator[EventStream]:
    """A stream that has begun; leaving hangs up and waits for the server to notice."""
    stream, gone = EventStream(), asyncio.Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("203.0.113.7", 40_000),
        "server": ("api.test", 80),
        "extensions": {},
    }
    served = asyncio.create_task(app(scope, receive, stream.to_client.put))  # type: ignore[arg-type]
    try:
        await stream.started()
        yield stream
    finally:
        gone.set()
        async with asyncio.timeout(5):
            while not served.done():
                with suppress(asyncio.QueueEmpty):
                    stream.to_client.get_nowait()
                await asyncio.sleep(0.001)
        await served


@asynccontextmanager
async def socket_to(
    app: Litestar,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    to_client: int = 0,
) -> AsyncIterator[Socket]:
    """An accepted connection; leaving hangs up and waits for the server to notice."""
    socket = Socket(to_client=to_client)
    scope: Any = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "http_version": "1.1",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("203.0.113.7", 40_000),
        "server": ("api.test", 80),
        "subprotocols": [],
        "extensions": {},
    }
    await socket.to_server.put({"type": "websocket.connect"})
    served = asyncio.create_task(app(scope, socket.to_server.get, socket.to_client.put))  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(5):
            accepted = await socket.to_client.get()
        assert accepted["type"] == "websocket.accept", accepted
        yield socket
    finally:
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(5):
            await served
