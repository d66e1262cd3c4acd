"""The answer to a proposed use, with every reason: a refusal that says one thing at a time
makes people guess."""

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


@dataclass(frozen=True, slots=True)
class Duty:
    """What the user of an allowed likeness must do: show an attribution, a disclosure."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOW
