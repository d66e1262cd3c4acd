"""What a classifier's scores of a text mean. Thresholds are dated: a change is a new line, so that
an old verdict can be explained.

A classifier errs in other ways than lists do: nothing that it alone finds is hard, so that whoever
is refused for it may appeal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.moderation.judgement import Category, Finding, Judgement, Verdict, judged


@dataclass(frozen=True, slots=True)
class Limits:
    """Scores from 0 to 1. From `review` on somebody looks; from `blocked` on it is refused."""

    review: float
    blocked: float


@dataclass(frozen=True, slots=True)
class TextThresholds:
    since: datetime
    limits: Mapping[Category, Limits]

    @property
    def edition(self) -> str:
        return f"{self.since:%Y-%m-%d}"


TEXT_THRESHOLDS: tuple[TextThresholds, ...] = (
    TextThresholds(
        datetime(2026, 1, 1, tzinfo=UTC),
        {
            Category.MINOR_SAFETY: Limits(review=0.1, blocked=0.4),
            Category.SEXUAL: Limits(review=0.6, blocked=0.9),
            Category.HATE: Limits(review=0.5, blocked=0.85),
            Category.SELF_HARM: Limits(review=0.5, blocked=0.85),
            Category.DANGEROUS: Limits(review=0.6, blocked=0.9),
            Category.VIOLENCE: Limits(review=0.8, blocked=0.97),
        },
    ),
)
"""What is not named here is never refused by a classifier."""


def text_thresholds_at(at: datetime) -> TextThresholds:
    return max(
        (each for each in TEXT_THRESHOLDS if each.since <= at),
        key=lambda each: each.since,
        default=TEXT_THRESHOLDS[0],
    )


def judge_text_scores(
    scores: Mapping[Category, float], *, classifier: str, adult: bool, at: datetime
) -> Judgement:
    """`adult`: adult uses are licensed, so that what is sexual is none of its business."""
    thresholds = text_thresholds_at(at)
    findings = []
    for category, limits in thresholds.limits.items():
        score = scores.get(category, 0.0)
        if score < limits.review or (adult and category is Category.SEXUAL):
            continue
        verdict = Verdict.BLOCKED if score >= limits.blocked else Verdict.REVIEW
        findings.append(Finding(category, verdict, classifier))
    return judged(
        findings,
        f"{classifier}.{thresholds.edition}",
        score=round(max(scores.values(), default=0.0), 4),
    )


def together(first: Judgement, second: Judgement) -> Judgement:
    """Two judges of one text: what either found counts, and both are named."""
    return judged(
        (*first.findings, *second.findings),
        f"{first.edition}+{second.edition}",
        score=second.score,
    )
