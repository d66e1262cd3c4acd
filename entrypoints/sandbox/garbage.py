"""What a provider sends on its worst days instead of a result, by the name of the switch.

`html`: an error page under the address of the file. `wrong_type`: another kind of file than was
asked for. `truncated`: the first half of it. `oversized`: bytes without end. `missing`: an address
where nothing is. `nothing`: a result without files. `shape`: a result of another form.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import msgspec

from entrypoints.sandbox.media import Shelf

Garbage = Literal["html", "wrong_type", "truncated", "oversized", "missing", "nothing", "shape"]
KINDS: tuple[Garbage, ...] = (
    "html",
    "wrong_type",
    "truncated",
    "oversized",
    "missing",
    "nothing",
    "shape",
)
OVERSIZED_BYTES = 1024 * 1024 * 1024
_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
_MEGABYTE = b"\0" * 1024 * 1024


def is_oversized(name: str) -> bool:
    return name.startswith("oversized")


async def endless() -> AsyncIterator[bytes]:
    for _ in range(OVERSIZED_BYTES // len(_MEGABYTE)):
        yield _MEGABYTE


def spoil(result: Any, kind: str, shelf: Shelf) -> Any:
    """The same result with its files spoiled. An unknown `kind` is `html`."""
    if kind == "nothing":
        return None if isinstance(result, str | list) else {}
    if kind == "shape":
        return {"images": "soon", "video": [1, 2], "output": {"deeper": 7}}
    return _replaced(result, lambda url: _spoiled(url, kind, shelf))


def _spoiled(url: str, kind: str, shelf: Shelf) -> str:
    name = url.rpartition("/")[2]
    suffix = name.rpartition(".")[2]
    match kind:
        case "wrong_type":
            return shelf.keep(b'{"this": "is no picture"}', suffix)
        case "truncated":
            found = shelf.read(name)
            return shelf.keep(found[0][: len(found[0]) // 2] if found else b"", suffix)
        case "oversized":
            return url.replace(name, f"oversized.{suffix}")
        case "missing":
            return url.replace(name, f"gone.{suffix}")
        case _:
            return shelf.keep(_PAGE, suffix)


def _replaced(value: Any, spoiled: Callable[[str], str]) -> Any:
    """Every address in it, however deep; a result is JSON."""
    match msgspec.to_builtins(value):
        case str(text) if text.startswith(("http://", "https://")):
            return spoiled(text)
        case dict(fields):
            return {name: _replaced(one, spoiled) for name, one in fields.items()}
        case list(items):
            return [_replaced(one, spoiled) for one in items]
        case other:
            return other
