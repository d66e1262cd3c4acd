"""The registry of API operations: method, path template, parameter type, function to run."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from entrypoints.sandbox.stripe.store import World
from entrypoints.sandbox.stripe.table import Object


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked: the account it acts for, ids from its path, converted parameters."""

    account: str
    ids: tuple[str, ...]
    params: dict[str, Any]


Act = Callable[[World, Call], Object]


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    template: str
    params_type: str
    act: Act
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """How a fault names it: `POST /v1/transfers/{id}/reversals`."""
        return f"{self.method} {self.template}"


OPERATIONS: list[Operation] = []


def operation(method: str, template: str, params_type: str) -> Callable[[Act], Act]:
    """Register a function under `METHOD template`; `params_type` names the SDK's parameter type."""

    def register(act: Act) -> Act:
        pattern = re.compile(template.replace("{id}", "([^/]+)"))
        OPERATIONS.append(Operation(method, template, params_type, act, pattern))
        return act

    return register


def find_operation(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    for candidate in OPERATIONS:
        if candidate.method == method and (match := candidate.pattern.fullmatch(path)):
            return candidate, match.groups()
    return None
