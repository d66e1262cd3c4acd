"""What a benchmark answers: a value with its unit, and how it stands to its goal."""

import operator
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from tests.benchmarks.ground import Ground

Comparison = Literal["≥", "≤", "<"]
_HOLDS = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


@dataclass(frozen=True, slots=True)
class Goal:
    comparison: Comparison
    limit: float

    def met_by(self, number: float) -> bool:
        return bool(_HOLDS[self.comparison](number, self.limit))

    def __str__(self) -> str:
        return f"{self.comparison} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ratio` is to a baseline measured in the same run; with one, the goal is the ratio's.

    A figure without a goal is told for its own sake.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""
    goal: Goal | None = None

    @property
    def ok(self) -> bool | None:
        if self.goal is None:
            return None
        return self.goal.met_by(self.value if self.ratio is None else self.ratio)

    def as_document(self) -> dict[str, Any]:
        return {
            "value": round(self.value, 3),
            "unit": self.unit,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": str(self.goal) if self.goal else None,
            "ok": self.ok,
        }


Benchmark = Callable[[Ground], Coroutine[Any, Any, list[Figure]]]


def at_least(limit: float) -> Goal:
    return Goal("≥", limit)


def at_most(limit: float) -> Goal:
    return Goal("≤", limit)


def below(limit: float) -> Goal:
    return Goal("<", limit)


def percentile(values: Iterable[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def middle(values: Iterable[float]) -> float:
    return median(values)
