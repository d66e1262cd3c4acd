"""The page of stable error codes, made from the classes that carry them."""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

from domain.shared.errors import LikenessError
from entrypoints.http.errors import REFUSALS_OF_THE_SERVER, status_of

_ROOMS = ("entrypoints.http", "application", "domain")
_TITLES = {
    400: "The request is malformed",
    401: "Nobody is signed in",
    403: "Not allowed",
    404: "Not there, or not to be seen",
    405: "Another method",
    409: "Something stands in the way",
    410: "Expired",
    413: "Too large",
    415: "Not of a kind that is taken",
    422: "A rule of licensing or money says no",
    429: "Too many requests",
    500: "Our fault",
    502: "A provider declined, or its answer was lost",
    503: "A provider cannot be reached",
}

_HEAD = """\
# Error codes

Every refusal is `{"error": {"code", "message", "details", "retry_after", "reasons"}}`. Programs
read `code`: a code never changes its meaning. `message` is a sentence for people and may change;
`details` maps a field of the request to what is wrong with it; `retry_after` is in seconds, where
trying again makes sense; `reasons` are those of a licence or a gate, explained in
[licensing.md](licensing.md). What to do with each status is said in [api.md](api.md#errors).

This page is written by `likeness errors docs`; change the classes instead.
"""


def error_page() -> str:
    """The whole page in Markdown: a table for each status, codes in alphabetical order."""
    parts = [_HEAD]
    for status, lines in sorted(_by_status().items()):
        parts.append(f"## {status}: {_TITLES[status]}\n")
        parts.append("| code | means |\n|---|---|")
        parts.extend(f"| `{code}` | {meaning} |" for code, meaning in sorted(lines.items()))
        parts.append("")
    return "\n".join(parts)


def _by_status() -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for status, (code, message) in REFUSALS_OF_THE_SERVER.items():
        found[status][code] = message
    for error in _classes():
        if (status := status_of(error)) != 500:
            found[status].setdefault(error.code, _meaning(error))
    found[500]["internal_error"] = "A fault. Quote the request's id from the message."
    return found


def _classes() -> list[type[LikenessError]]:
    """Every error class of ours; where two share a code, the outer one explains it."""
    for room in _ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
    ours = [error for error in _below(LikenessError) if error.__module__.startswith(_ROOMS)]
    return sorted(ours, key=lambda error: (_depth(error), error.__module__, error.__name__))


def _below(error: type[LikenessError]) -> Iterator[type[LikenessError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)


def _depth(error: type[LikenessError]) -> int:
    return next(i for i, room in enumerate(_ROOMS) if error.__module__.startswith(room))


def _meaning(error: type[LikenessError]) -> str:
    """The first paragraph of the class's docstring, on one line."""
    own = error.__dict__.get("__doc__") or ""
    return " ".join(own.split("\n\n")[0].split()) or error.code.replace("_", " ").capitalize() + "."
