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
        first = await receive()
        if first["type"] != "http.request" or first.get("more_body"):
            await app(scope, _starting_with(first, receive), send)
            return
        body = first["body"]
        try:
            received = await take_in(_text(scope), body) if len(body) <= max_body_bytes else None
        except Exception:  # noqa: BLE001 - the route meets it again, and answers it
            received = None
        if received is None:
            await app(scope, _starting_with(first, receive), send)
            return
        scope["path_template"] = scope["path"]
        answer = _ANSWERS[received.duplicate]
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    return wrapped


def _text(scope: Scope) -> dict[str, str]:
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}


def _starting_with(first: Any, receive: Receive) -> Receive:
    """`receive`, after the message that was taken from it already."""
    waiting = [first]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return again
