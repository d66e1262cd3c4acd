"""What an image's scores and a provider's flag mean. Thresholds are dated: a change is a new line,
so that an old verdict can be explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.moderation.judgement import Category, Finding, Judgement, Verdict, judged, severity

FRAMES_JUDGED = 8
"""So many frames of a video are looked at; it is judged by the worst of them."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from 0 to 1. From `review` on somebody looks; from `blocked` on nobody sees it."""

    since: datetime
    review: float
    blocked: float

    @property
    def edition(self) -> str:
        return f"{self.since:%Y-%m-%d}"


THRESHOLDS: tuple[Thresholds, ...] = (
    Thresholds(datetime(2026, 1, 1, tzinfo=UTC), review=0.5, blocked=0.85),
)


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """Of several pictures of one thing."""
    return max(judgements, key=lambda one: (severity(one.verdict), one.score or 0))


def thresholds_at(at: datetime) -> Thresholds:
    return max(
        (each for each in THRESHOLDS if each.since <= at),
        key=lambda each: each.since,
        default=THRESHOLDS[0],
    )


def judge_scores(
    nsfw: float, *, classifier: str, flagged: bool, adult: bool, at: datetime
) -> Judgement:
    """`flagged`: the provider's own filter spoke. By itself that is a doubt; with a doubt of ours
    it blocks. Where adult uses are licensed, nakedness is none."""
    limits = thresholds_at(at)
    doubtful = nsfw >= limits.review and not adult
    findings = []
    if doubtful:
        sure = nsfw >= limits.blocked or flagged
        verdict = Verdict.BLOCKED if sure else Verdict.REVIEW
        findings.append(Finding(Category.NUDITY, verdict, classifier))
    if flagged and not adult:
        findings.append(Finding(Category.PROVIDER_FLAG, Verdict.REVIEW, "provider"))
    return judged(findings, f"{classifier}.{limits.edition}", score=round(nsfw, 4))
