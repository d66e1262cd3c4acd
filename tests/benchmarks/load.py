"""A client that is not the bottleneck: raw requests over kept-alive connections, in a process of
its own.

`saturate` has every connection ask again as soon as it is answered. `pace` asks at a fixed rate
and counts from the moment when a request was due, so that waiting in line is seen.
"""

import asyncio
import multiprocessing
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import uvloop

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Answered:
    rate: float
    latencies_ms: list[float]


class Client:
    """One process that sends; reused from one measurement to the next."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    async def saturate(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        seconds: float,
        connections: int = CONNECTIONS,
    ) -> Answered:
        """The requests in turn, from the first again after the last. RuntimeError unless 2xx."""
        return await self._run(port, requests, seconds, connections, None)

    async def pace(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        rate: float,
        seconds: float,
        connections: int = CONNECTIONS,
    ) -> Answered:
        return await self._run(port, requests, seconds, connections, rate)

    async def _run(self, *arguments: Any) -> Answered:
        return await asyncio.wrap_future(self._pool.submit(_send, *arguments))

    def close(self) -> None:
        self._pool.shutdown()


def request(
    method: str, path: str, *, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _send(
    port: int, requests: Sequence[bytes], seconds: float, connections: int, rate: float | None
) -> Answered:
    return uvloop.run(_load(port, requests, seconds, connections, rate))


async def _load(
    port: int, requests: Sequence[bytes], seconds: float, connections: int, rate: float | None
) -> Answered:
    loop = asyncio.get_running_loop()
    work = _Work(requests, time.perf_counter(), seconds, rate)
    opened = [
        await loop.create_connection(lambda: _Connection(work), "127.0.0.1", port)
        for _ in range(connections)
    ]
    work.began = time.perf_counter()
    try:
        await work.run([protocol for _, protocol in opened])
    finally:
        for transport, _ in opened:
            transport.close()
    took_s = time.perf_counter() - work.began
    return Answered(len(work.latencies_ms) / took_s, work.latencies_ms)


class _Work:
    """Which connection sends what, when."""

    def __init__(
        self, requests: Sequence[bytes], began: float, seconds: float, rate: float | None
    ) -> None:
        self.began = began
        self.latencies_ms: list[float] = []
        self._requests = requests
        self._seconds = seconds
        self._rate = rate
        self._sent = 0
        self._free: deque[_Connection] = deque()
        self._due: deque[float] = deque()
        self._busy = 0
        self._last_sent = False
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, connections: "Sequence[_Connection]") -> None:
        if self._rate is None:
            self._busy = len(connections)
            self._last_sent = True
            for connection in connections:
                self._send(connection, time.perf_counter())
            await self._over
            return
        self._free.extend(connections)
        total = int(self._rate * self._seconds)
        for number in range(total):
            due = self.began + number / self._rate
            if (wait_s := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            if self._free:
                self._busy += 1
                self._send(self._free.popleft(), due)
            else:
                self._due.append(due)
        self._last_sent = True
        self._end_if_idle()
        await self._over

    def answered(self, connection: "_Connection", latency_s: float) -> None:
        self.latencies_ms.append(latency_s * 1000)
        if self._rate is None:
            if time.perf_counter() - self.began < self._seconds:
                self._send(connection, time.perf_counter())
                return
        elif self._due:
            self._send(connection, self._due.popleft())
            return
        self._busy -= 1
        self._free.append(connection)
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._last_sent and not self._busy and not self._over.done():
            self._over.set_result(None)

    def failed(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    def _send(self, connection: "_Connection", due: float) -> None:
        content = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        connection.send(content, due)


class _Connection(asyncio.Protocol):
    """Reads as much of HTTP/1.1 as our servers answer: a content-length, no chunks."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._received = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own, of no common class

    def connection_lost(self, exc: Exception | None) -> None:
        self._work.failed(exc or RuntimeError("the server closed a connection"))

    def send(self, content: bytes, since: float) -> None:
        self._since = since
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, body = self._received.partition(b"\r\n\r\n")
        if not mark or len(body) < _length(head):
            return
        self._received = b""
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201", b"HTTP/1.1 202")):
            self._work.failed(RuntimeError(f"answered {head[:12]!r} {body[:300]!r}"))
            return
        self._work.answered(self, time.perf_counter() - self._since)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start < 0:
        return 0
    end = lowered.find(b"\r\n", start)
    return int(lowered[start + 15 : end if end > 0 else None])
