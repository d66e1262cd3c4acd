"""One text for one value, to take a hash of.

Sorted keys, sorted sets, no white space, instants in UTC. A form that has grown stays true to its
old hashes in this way: the fields that it began with are always written, a later one only when it
says something else than its default. So the text of an old value is what it was, and two values
have the same text only when they are equal.
"""

import json
from collections.abc import Collection
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def canonical_text(value: Any, *, always: Collection[str]) -> str:
    """The text of a dataclass; `always` names the fields that are written come what may."""
    written = {
        f.name: _plain(getattr(value, f.name))
        for f in fields(value)
        if f.name in always or getattr(value, f.name) != _default_of(f)
    }
    return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _default_of(field: Field[Any]) -> object:
    return MISSING if field.default is MISSING else field.default


def _plain(value: Any) -> object:
    match value:
        case frozenset():
            return sorted(str(item) for item in value)
        case tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
        case _ if is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value
