"""The answer to a proposed use, with every reason: a refusal that says one thing at a time
makes people guess."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    ALLOW = "allow"
    NEEDS_APPROVAL = "needs_approval"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a stable code, the field of the use, the limit in the terms, the value offered."""

    code: str
    field: str
    limit: str | int | None
    value: str | int | None
    message: str


def unknown(field: str) -> Reason:
    """A rule needs to know this and does not."""
    return Reason(f"unknown_{field}", field, None, None, f"The use does not say its {field}.")


def listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(str(value) for value in values))


@dataclass(frozen=True, slots=True)
class Duty:
    """What the user of an allowed likeness must do: show a `disclosure` or an `attribution`, offer
    a derived work alike (`share_alike`), sell to a `territory` only."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Any reason against denies. Reasons of NEEDS_APPROVAL say whose word is missing."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOW
