"""What the story of the studio leaves: everything that the report and the tests look at."""

from dataclasses import dataclass, field
from typing import Any

from entrypoints.cli.demo.client import StoryStopped

_OURS = {"post_processing", "storing"}
ENHANCED = 1
"""Calls of the language model: it is a step of no job."""


@dataclass(frozen=True)
class Made:
    """`events` were heard live; `credits` is what its owner was charged."""

    what: str
    owner: str
    job_id: str
    steps: list[str]
    events: int
    credits: int
    took_s: float


@dataclass(frozen=True)
class Account:
    """A wallet, and its entries, the newest first."""

    owner: str
    credits: dict[str, Any]
    entries: list[dict[str, Any]]

    @property
    def sum(self) -> int:
        return sum(entry["credits"] for entry in self.entries)

    @property
    def spent(self) -> int:
        return sum(entry["spent"] for entry in self.entries)

    def spent_on(self, job_id: str) -> int:
        return sum(entry["spent"] for entry in self.entries if entry["job_id"] == job_id)


@dataclass
class StudioOutcome:
    """`calls` by provider and model are those that were charged for while the story was told."""

    licence: dict[str, Any] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    credentials: dict[str, Any] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def expected_calls(self) -> int:
        """One for every step that is not our own work, and those outside of jobs."""
        steps = [step for made in self.made for step in made.steps if step not in _OURS]
        return len(steps) + ENHANCED


def expect(what: str, expected: object, found: object) -> None:
    """Raises StoryStopped."""
    if found != expected:
        raise StoryStopped(f"{what} should be {expected!r}, and is {found!r}")
