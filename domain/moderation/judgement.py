"""What is found in a text or an image, and what follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """`creator_words` are those that a creator blocks in their terms, for their likeness alone."""

    MINOR_SAFETY = "minor_safety"
    SEXUAL = "sexual"
    SEXUAL_VIOLENCE = "sexual_violence"
    NON_CONSENSUAL = "non_consensual"
    HATE = "hate"
    SELF_HARM = "self_harm"
    DANGEROUS = "dangerous"
    VIOLENCE = "violence"
    PUBLIC_FIGURE = "public_figure"
    CREATOR_WORDS = "creator_words"
    NUDITY = "nudity"
    PROVIDER_FLAG = "provider_flag"
    INFRINGEMENT = "infringement"
    OTHER = "other"


class Verdict(StrEnum):
    """What is in review is hidden where it would be shown, and otherwise goes on, until somebody
    has looked at it."""

    ALLOWED = "allowed"
    REVIEW = "review"
    BLOCKED = "blocked"


_SEVERITY = (Verdict.ALLOWED, Verdict.REVIEW, Verdict.BLOCKED)


def severity(verdict: Verdict) -> int:
    return _SEVERITY.index(verdict)


def severest(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=severity, default=Verdict.ALLOWED)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why. `source` is the list, the rule or the classifier; `start` and `end` are places in the
    text. A `hard` finding is of what may never be, and no adult licence permits it."""

    category: Category
    verdict: Verdict
    source: str
    word: str = ""
    start: int = 0
    end: int = 0
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """`edition` names the lists or thresholds by which it was judged."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    edition: str
    score: float | None = None

    @property
    def hard(self) -> bool:
        return any(finding.hard for finding in self.findings)

    @property
    def categories(self) -> tuple[Category, ...]:
        """The severest first."""
        ranked = sorted(self.findings, key=lambda f: (not f.hard, -severity(f.verdict)))
        return tuple(dict.fromkeys(finding.category for finding in ranked))


def judged(findings: Iterable[Finding], edition: str, *, score: float | None = None) -> Judgement:
    found = tuple(findings)
    return Judgement(severest(f.verdict for f in found), found, edition, score)


_AROUND = 24


def redacted(text: str, findings: Iterable[Finding]) -> str:
    """A line of the text around what was found, of which no letter is told."""
    spans = sorted({(f.start, f.end) for f in findings if f.end > f.start})
    if not spans:
        return ""
    hidden = list(text)
    for start, end in spans:
        hidden[start:end] = ["▇"] * (end - start)
    start = max(0, spans[0][0] - _AROUND)
    end = min(len(text), spans[0][1] + _AROUND)
    shown = "".join("▇" if c.isdigit() or c == "@" else c for c in hidden[start:end])
    shown = " ".join(shown.split())
    return ("…" if start else "") + shown + ("…" if end < len(text) else "")
