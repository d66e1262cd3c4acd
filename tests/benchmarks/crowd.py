"""Thousands of WebSocket clients in a process of their own; each follows one job to its end.

As much of RFC 6455 as our server needs to be spoken to: text frames, masked with zeros.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import cast

import msgspec
import uvloop

from entrypoints.http.serve import raise_file_limit

AT_ONCE = 100
_TEXT, _CLOSE = 1, 8


@dataclass(frozen=True, slots=True)
class Seat:
    """Who follows what."""

    token: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one client: numbers in the order in which they came, and when, by the machine's clock."""

    job_id: str
    seqs: list[int]
    at_s: list[float]


@dataclass(slots=True)
class Watched:
    opened_s: float = 0.0
    heard: list[Heard] = field(default_factory=list)


class Crowd:
    """Sits down with `open`; `watch` answers when everybody has heard the last event."""

    def __init__(self, port: int, seats: Sequence[Seat], *, last_seq: int, within_s: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context)
        self._seated = context.Manager().Event()
        self._watching = self._pool.submit(
            _watch, port, list(seats), last_seq, within_s, self._seated
        )

    async def seated(self, *, within_s: float) -> None:
        """Everybody has subscribed. Raises what went wrong, if something did."""
        ends_s = time.monotonic() + within_s
        while not await asyncio.to_thread(self._seated.wait, 0.2):
            if self._watching.done():
                self._watching.result()
            if time.monotonic() > ends_s:
                raise TimeoutError("not everybody could subscribe")

    async def watched(self) -> Watched:
        try:
            return await asyncio.wrap_future(self._watching)
        finally:
            self._pool.shutdown()


def _watch(port: int, seats: list[Seat], last_seq: int, within_s: float, seated: object) -> Watched:
    raise_file_limit()
    return uvloop.run(_sit(port, seats, last_seq, within_s, seated))


async def _sit(
    port: int, seats: list[Seat], last_seq: int, within_s: float, seated: object
) -> Watched:
    loop, began = asyncio.get_running_loop(), time.monotonic()
    clients = [_Client(seat, last_seq) for seat in seats]
    async with asyncio.timeout(within_s):
        for start in range(0, len(clients), AT_ONCE):
            some = clients[start : start + AT_ONCE]
            for client in some:
                await loop.create_connection(lambda c=client: c, "127.0.0.1", port)  # type: ignore[misc]
            await asyncio.gather(*(client.subscribed for client in some))
        opened_s = time.monotonic() - began
        seated.set()  # type: ignore[attr-defined]
        await asyncio.gather(*(client.over for client in clients))
    for client in clients:
        client.close()
    return Watched(opened_s, [client.heard for client in clients])


class _Client(asyncio.Protocol):
    def __init__(self, seat: Seat, last_seq: int) -> None:
        loop = asyncio.get_running_loop()
        self.heard = Heard(seat.job_id, [], [])
        self.subscribed: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self._seat = seat
        self._last_seq = last_seq
        self._received = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            b"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\n"
            b"connection: upgrade\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"authorization: Bearer " + self._seat.token.encode() + b"\r\n\r\n"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or RuntimeError("the server hung up"))

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        now_s = time.monotonic()
        self._received += data
        if not self._open:
            head, mark, rest = self._received.partition(b"\r\n\r\n")
            if not mark:
                return
            if b" 101 " not in head:
                self._fail(RuntimeError(f"answered {head[:80]!r}"))
                return
            self._open, self._received = True, rest
            self._say({"type": "subscribe", "channel": f"job:{self._seat.job_id}", "last_seq": 0})
        while (frame := _frame_of(self._received)) is not None:
            kind, payload, self._received = frame
            if kind == _CLOSE:
                self._fail(RuntimeError(f"closed: {payload!r}"))
            elif kind == _TEXT:
                self._hear(msgspec.json.decode(payload), now_s)

    def _hear(self, message: dict[str, object], now_s: float) -> None:
        match message:
            case {"type": "subscribed"}:
                self.subscribed.set_result(None)
            case {"seq": int(seq)}:
                self.heard.seqs.append(seq)
                self.heard.at_s.append(now_s)
                if seq >= self._last_seq and not self.over.done():
                    self.over.set_result(None)
            case {"type": "error" | "resync"}:
                self._fail(RuntimeError(f"told {message}"))

    def _say(self, message: dict[str, object]) -> None:
        payload = msgspec.json.encode(message)
        if len(payload) > 125:
            raise ValueError("a message longer than a short frame holds")
        self._transport.write(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def _fail(self, error: Exception) -> None:
        for future in (self.subscribed, self.over):
            if not future.done():
                future.set_exception(error)


def _frame_of(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Kind, payload and what follows; None while the frame is not complete."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length == 126:
        length, start = int.from_bytes(data[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(data[2:10], "big"), 10
    if len(data) < max(start, 2) + length:
        return None
    return data[0] & 0x0F, data[start : start + length], data[start + length :]
