"""Stripe's form encoding: `a[b][0][c]=1` becomes nested dictionaries of strings.

Lists stay dictionaries with numeric keys; only the parameter's type can tell the two apart.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from entrypoints.sandbox.stripe.errors import invalid

Value = str | dict[str, "Value"]
MAX_DEPTH = 12


def decode_form(text: str) -> dict[str, Value]:
    """Decode a body or a query string; a parameter that is both text and nested is refused."""
    return nest(parse_qsl(text, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    root: dict[str, Value] = {}
    for name, text in pairs:
        steps = _steps(name)
        target = root
        for step in steps[:-1]:
            inner = target.setdefault(step or str(len(target)), {})
            if not isinstance(inner, dict):
                raise invalid(f"Invalid object: {name}", param=name)
            target = inner
        target[steps[-1] or str(len(target))] = text
    return root


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [head]
    steps = [head, *rest.removesuffix("]").split("][")]
    if not rest.endswith("]") or len(steps) > MAX_DEPTH:
        raise invalid(f"Invalid parameter name: {name}", param=name)
    return steps
