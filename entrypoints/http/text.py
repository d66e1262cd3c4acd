"""What PostgreSQL cannot store, refused before any use case sees it.

Its text holds no NUL and no lone surrogate, its largest integer has 64 bits. JSON can express all
three. A cheap look at the raw bytes tells nearly always that there is nothing to find.
"""

import re
from functools import cache
from typing import Any

import msgspec
from litestar import Request

from domain.shared.errors import Invalid

INTEGER_MAX = 2**63 - 1
_SUSPECT = re.compile(rb"\\u0000|\\ud[89a-f]|[0-9]{19}", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_MEMBER_FAULTS = (
    (re.compile(r"Object missing required field `(.+)`"), "is required"),
    (re.compile(r"Object contains unknown field `(.+)`", re.DOTALL), "is not taken here"),
)
"""What msgspec says of a member of an object, and what is said of it to clients."""


class BodyInvalid(Invalid):
    """The body is not what this route takes."""

    code = "body_invalid"


class ApiRequest(Request[Any, Any, Any]):
    """Decodes a JSON body strictly and straight into the type that the handler asks for."""

    async def json(self) -> Any:
        wanted = self.route_handler.parsed_data_field
        return decode(await self.body(), Any if wanted is None else wanted.annotation)


def decode(body: bytes, target: Any) -> Any:
    """The body as `target`. Raises BodyInvalid, naming the field where one is at fault."""
    try:
        value = _decoder(target).decode(body)
        if _SUSPECT.search(body) and (fault := unstorable(msgspec.to_builtins(value))):
            field, message = fault
            raise BodyInvalid("The body cannot be accepted.", fields={field or "body": [message]})
    except msgspec.ValidationError as error:
        raise body_invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BodyInvalid("The body is not well-formed JSON.") from None
    except RecursionError:
        raise BodyInvalid("The body is nested too deeply.") from None
    return value


def body_invalid(error: msgspec.ValidationError) -> BodyInvalid:
    text = str(error)
    place = _PATH.search(text)
    message = text[: place.start()] if place else text
    field = (place.group(1) if place else "") or "body"
    for pattern, meaning in _MEMBER_FAULTS:
        if named := pattern.fullmatch(message):
            name = named.group(1)
            field = name if field == "body" else f"{field}.{name}"
            message = meaning
    return BodyInvalid("The body is not what this route takes.", fields={field: [message]})


def unstorable(value: Any, path: str = "") -> tuple[str, str] | None:
    """The first place in plain JSON data that PostgreSQL could not store, and why."""
    match value:
        case str() if "\x00" in value:
            return path, "must not contain the character NUL"
        case str() if _SURROGATE.search(value):
            return path, "must not contain half of a surrogate pair"
        case int() if not -INTEGER_MAX - 1 <= value <= INTEGER_MAX:
            return path, "must fit into 64 bits"
        case list():
            for index, item in enumerate(value):
                if fault := unstorable(item, f"{path}[{index}]"):
                    return fault
        case dict():
            for key, item in value.items():
                if unstorable(key):
                    return path, "has a key that must not contain NUL or half of a surrogate pair"
                if fault := unstorable(item, f"{path}.{key}" if path else str(key)):
                    return fault
    return None


@cache
def _decoder(target: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(target)
