"""The short way in for signed events: past routing, as long as nothing is wrong with them.

The payment provider's events are most of what an installation is asked under load, and all of them
are alike. One that arrives whole, in time and well signed is kept and answered here. Whatever else
happens to it, the request is handed on as it came: its route does the same again, and every
refusal has one place.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.envelope import Data
from entrypoints.http.routes.received import Received

TakeIn = Callable[[Mapping[str, str], bytes], Awaitable[Received]]
"""Verify headers and body, and keep the event. Raises whatever its route would raise."""

_HEADERS = [(b"content-type", b"application/json")]
_ANSWERS = {
    duplicate: msgspec.json.encode(Data(Received(received=True, duplicate=duplicate)))
    for duplicate in (True, False)
}


def short_way(app: ASGIApp, routes: Mapping[str, TakeIn], *, max_body_bytes: int) -> ASGIApp:
    """`app`, with a short way for POST requests to the paths of `routes`."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        take_in = routes.get(scope["path"]) if scope.get("method") == "POST" else None
        if take_in is None:
            await app(scope, receive, send)
            return
        taken, body = await _whole(receive, max_body_bytes)
        if body is None:
            await app(scope, _starting_with(taken, receive), send)
            return
        try:
            received = await take_in(_text(scope), body)
        except Exception:  # noqa: BLE001 - the route meets it again, and answers it
            received = None
        if received is None:
            await app(scope, _starting_with(taken, receive), send)
            return
        scope["path_template"] = scope["path"]
        answer = _ANSWERS[received.duplicate]
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    return wrapped


async def _whole(receive: Receive, max_body_bytes: int) -> tuple[list[Any], bytes | None]:
    """The messages of a body, and the body; None when it is too large or was broken off.

    A server may send the end of a body as a message of its own, even when all of it had come.
    """
    taken: list[Any] = []
    size = 0
    while True:
        message = await receive()
        taken.append(message)
        if message["type"] != "http.request":
            return taken, None
        size += len(message["body"])
        if size > max_body_bytes:
            return taken, None
        if not message.get("more_body"):
            return taken, b"".join(part["body"] for part in taken)


def _text(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}


def _starting_with(taken: list[Any], receive: Receive) -> Receive:
    """`receive`, after the messages that were taken from it already."""
    waiting = iter(taken)

    async def again() -> Any:
        for message in waiting:
            return message
        return await receive()

    return again
