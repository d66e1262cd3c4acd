"""Metadata updates: keys are added or replaced, an empty value removes one, `""` removes all."""

from typing import Any


def merged(current: dict[str, str], change: Any) -> dict[str, str]:
    if change == "":
        return {}
    result = {**current, **change}
    return {key: value for key, value in result.items() if value != ""}


def initial(change: Any) -> dict[str, str]:
    return merged({}, change or {})
