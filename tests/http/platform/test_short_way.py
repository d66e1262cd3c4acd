"""The short way in: taken for whatever came whole, however the server cut it; else as it came."""

from collections.abc import Mapping
from typing import Any

import pytest

from entrypoints.http.routes.received import Received
from entrypoints.http.short_way import short_way

PATH = "/in"


def body(*parts: bytes, ended_alone: bool = False) -> list[dict[str, Any]]:
    said = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if ended_alone:
        return [*said, {"type": "http.request", "body": b"", "more_body": False}]
    return [*said[:-1], {**said[-1], "more_body": False}]


async def asked(messages: list[dict[str, Any]], *, method: str = "POST", path: str = PATH) -> Any:
    """What was answered: the status by the short way, or what the application got to read."""
    waiting = iter(messages)
    answered: list[Any] = []

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        answered.append(message)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        message: dict[str, Any] = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            answered.append(message)

    async def take_in(headers: Mapping[str, str], whole: bytes) -> Received:
        if whole == b"wrong":
            raise ValueError("not signed")
        return Received(received=True, duplicate=False)

    app = short_way(application, {PATH: take_in}, max_body_bytes=10)
    scope: Any = {"type": "http", "method": method, "path": path, "headers": []}
    await app(scope, receive, send)
    return answered[0]["status"] if answered[0].get("status") else answered


@pytest.mark.parametrize(
    "messages",
    [body(b"whole"), body(b"whole", ended_alone=True), body(b"in", b" two"), body(b"1234567890")],
)
async def test_what_came_whole_is_answered_at_once(messages: list[dict[str, Any]]) -> None:
    assert await asked(messages) == 200


@pytest.mark.parametrize(
    "messages",
    [
        body(b"wrong"),
        body(b"wr", b"ong", ended_alone=True),
        body(b"12345678901"),
        body(b"12345678", b"90123", b"4"),
        [{"type": "http.disconnect"}],
    ],
)
async def test_anything_else_is_handed_on_as_it_came(messages: list[dict[str, Any]]) -> None:
    assert await asked(messages) == messages


async def test_other_paths_and_methods_are_left_alone() -> None:
    assert await asked(body(b"whole"), method="PUT") == body(b"whole")
    assert await asked(body(b"whole"), path="/out") == body(b"whole")
