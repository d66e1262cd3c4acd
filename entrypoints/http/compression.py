"""Text answers travel compressed: brotli where it is installed and understood, else gzip.

Images and other packed formats pass untouched, and so do streams. A large body is compressed in
a thread, because the event loop has other requests to serve.
"""

import asyncio
import gzip
import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

MINIMUM_BYTES = 1_000
THREAD_BYTES = 100_000
_TEXT = re.compile(rb"(text/|application/([\w.+-]*\+)?(json|xml|javascript)|image/svg)")


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=5, mtime=0)


def _encoders() -> dict[str, Callable[[bytes], bytes]]:
    encoders: dict[str, Callable[[bytes], bytes]] = {}
    if find_spec("brotli"):
        compress = import_module("brotli").compress
        encoders["br"] = lambda body: cast("bytes", compress(body, quality=4))
    encoders["gzip"] = _gzip
    return encoders


ENCODERS = _encoders()
"""Content coding → compressor, the preferred one first."""


def compressed(app: ASGIApp) -> ASGIApp:
    """`app`, with its text answers compressed as the client allows."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        coding = _chosen(dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1"))
        start: HTTPResponseStartEvent | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] == "http.response.body" and start is not None:
                if _is_text(start):
                    _vary(start)
                    whole = not message.get("more_body", False)
                    if coding and whole and len(message["body"]) >= MINIMUM_BYTES:
                        message["body"] = await _encode(coding, message["body"])
                        _relabel(start, coding, len(message["body"]))
                await send(start)
                start = None
            await send(message)

        await app(scope, receive, send_compressed)

    return wrapped


def _chosen(accepted: str) -> str | None:
    offered = {}
    for part in accepted.split(","):
        name, _, parameter = part.strip().partition(";")
        offered[name.strip().lower()] = re.sub(r"\s", "", parameter) not in ("q=0", "q=0.0")
    return next((coding for coding in ENCODERS if offered.get(coding)), None)


async def _encode(coding: str, body: bytes) -> bytes:
    if len(body) > THREAD_BYTES:
        return await asyncio.to_thread(ENCODERS[coding], body)
    return ENCODERS[coding](body)


def _is_text(start: HTTPResponseStartEvent) -> bool:
    headers = dict(start["headers"])
    return b"content-encoding" not in headers and bool(
        _TEXT.match(headers.get(b"content-type", b"").lower())
    )


def _vary(start: HTTPResponseStartEvent) -> None:
    start["headers"] = [*start["headers"], (b"vary", b"Accept-Encoding")]


def _relabel(start: HTTPResponseStartEvent, coding: str, length: int) -> None:
    kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    start["headers"] = [
        *kept,
        (b"content-encoding", coding.encode()),
        (b"content-length", str(length).encode()),
    ]
