"""Request validation, derived from the parameter types that the SDK itself ships.

Both are generated from the same API description, so a misspelt, missing or mistyped parameter is
caught here as it would be at Stripe. A checker is compiled once per type, on first use.
"""

import re
import types
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, missing_parameter
from entrypoints.sandbox.stripe.wire import Value

Check = Callable[[Value, str], Any]

_TRANSPORT = {
    "api_key",
    "stripe_version",
    "stripe_account",
    "stripe_context",
    "max_network_retries",
    "idempotency_key",
    "content_type",
    "headers",
}
_INTEGER = re.compile(r"-?\d{1,18}")
MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_LENGTH = 40
MAX_METADATA_VALUE_LENGTH = 500
MAX_TEXT_LENGTH = 5000


def validate(type_name: str, raw: dict[str, Value]) -> dict[str, Any]:
    """Check and convert the parameters of one request; the first fault raises StripeProblem."""
    checked: dict[str, Any] = _root(type_name)(raw, "")
    return checked


@cache
def _root(type_name: str) -> Check:
    import stripe.params
    import stripe.params.billing_portal
    import stripe.params.checkout
    import stripe.params.tax

    places: dict[str, Any] = {
        "": stripe.params,
        "billing_portal": stripe.params.billing_portal,
        "checkout": stripe.params.checkout,
        "tax": stripe.params.tax,
    }
    area, _, name = type_name.rpartition(".")
    return _record(getattr(places[area], name))


@cache
def _record(record: type) -> Check:
    hints = get_type_hints(
        record, localns={"StripeContext": str, "Mapping": Mapping}, include_extras=True
    )
    checks: dict[str, Check] = {}
    required: list[str] = []
    for name, hint in hints.items():
        if name in _TRANSPORT:
            continue
        if get_origin(hint) not in (NotRequired, Required):
            required.append(name)
        checks[name] = _check(hint)

    def check(value: Value, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {value!r}", param=path)
        unknown = [_join(path, name) for name in value if name not in checks]
        if unknown:
            noun = "parameter" if len(unknown) == 1 else "parameters"
            message = f"Received unknown {noun}: {', '.join(unknown)}"
            raise invalid(message, param=unknown[0], code="parameter_unknown")
        for name in required:
            if name not in value:
                raise missing_parameter(_join(path, name))
        return {name: checks[name](inner, _join(path, name)) for name, inner in value.items()}

    return check


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _check(hint: Any) -> Check:
    origin = get_origin(hint)
    if origin in (NotRequired, Required):
        return _check(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return _union([option for option in get_args(hint) if option is not type(None)])
    if origin is Literal:
        return _choice(get_args(hint))
    if origin is list:
        return _list(_check(get_args(hint)[0]))
    if origin is dict:
        return _metadata
    if hasattr(hint, "__required_keys__"):  # a TypedDict, also of typing_extensions
        return _lazily(hint)
    return _SCALARS.get(hint, _text)


def _lazily(record: type) -> Check:
    """Nested types are compiled when first sent: most requests touch few of them."""

    def check(value: Value, path: str) -> Any:
        return _record(record)(value, path)

    return check


def _union(options: list[Any]) -> Check:
    literals = [
        arg for option in options if get_origin(option) is Literal for arg in get_args(option)
    ]
    unsettable = "" in literals
    choices = [literal for literal in literals if literal != ""]
    others = [
        option
        for option in options
        if get_origin(option) is not Literal and "StripeObject" not in str(option)
    ]
    if choices and all(option is str for option in others):
        # `Literal[…] | str` is how the SDK stays open for later values; today's API is closed.
        fallback = _choice(tuple(choices))
    else:
        fallback = _first_that_fits([_check(option) for option in others])

    def check(value: Value, path: str) -> Any:
        if isinstance(value, str) and (value in choices or (unsettable and value == "")):
            return value
        return fallback(value, path)

    return check


def _first_that_fits(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Value, path: str) -> Any:
        problem: StripeProblem | None = None
        for option in checks:
            try:
                return option(value, path)
            except StripeProblem as refused:
                problem = problem or refused
        raise problem or invalid(f"Invalid value for {path}", param=path)

    return check


def _choice(choices: tuple[Any, ...]) -> Check:
    allowed = frozenset(str(choice) for choice in choices)
    names = [str(choice) for choice in choices]
    listed = ", ".join(names[:-1]) + f", or {names[-1]}" if len(names) > 1 else names[0]

    def check(value: Value, path: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise invalid(f"Invalid {path}: must be one of {listed}", param=path)
        return value

    return check


def _list(item: Check) -> Check:
    def check(value: Value, path: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise invalid("Invalid array", param=path)
        positions = sorted(value, key=int)
        return [item(value[key], f"{path}[{key}]") for key in positions]

    return check


def _metadata(value: Value, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid object: {value!r}", param=path)
    if len(value) > MAX_METADATA_KEYS:
        raise invalid(f"Metadata can hold at most {MAX_METADATA_KEYS} keys", param=path)
    checked: dict[str, str] = {}
    for key, text in value.items():
        if not isinstance(text, str):
            raise invalid("Metadata values must be strings, not objects", param=_join(path, key))
        if len(key) > MAX_METADATA_KEY_LENGTH:
            limit = MAX_METADATA_KEY_LENGTH
            raise invalid(f"Metadata keys can be up to {limit} characters long", param=path)
        if len(text) > MAX_METADATA_VALUE_LENGTH:
            limit = MAX_METADATA_VALUE_LENGTH
            raise invalid(
                f"Metadata values can have up to {limit} characters", param=_join(path, key)
            )
        checked[key] = text
    return checked


def _integer(value: Value, path: str) -> int:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        message = f"Invalid integer: {value}"
        raise invalid(message, param=path, code="parameter_invalid_integer")
    return int(value)


def _boolean(value: Value, path: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=path)
    return value == "true"


def _decimal(value: Value, path: str) -> str:
    try:
        Decimal(value if isinstance(value, str) else "")
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {value}", param=path) from None
    return str(value)


def _text(value: Value, path: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", param=path)
    if value == "":
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset.",
            param=path,
            code="parameter_invalid_empty",
        )
    if len(value) > MAX_TEXT_LENGTH:
        raise invalid(f"Invalid string: {path} is too long", param=path)
    return value


_SCALARS: dict[Any, Check] = {
    int: _integer,
    bool: _boolean,
    float: _decimal,
    Decimal: _decimal,
    str: _text,
}
