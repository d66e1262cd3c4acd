"""That something was judged, kept for ever and never changed.

Of a text the hash is kept and a line in which what was found is blacked out; never the text.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.moderation.judgement import Finding, Verdict


class Medium(StrEnum):
    TEXT = "text"
    IMAGE = "image"


@dataclass(eq=False, kw_only=True)
class JudgementRecord:
    """`subject` says what kind of thing it was (`prompt`, `product`, `asset`), `field` which part
    of it; `subject_id` is there once the thing has one."""

    id: UUID
    medium: Medium
    subject: str
    subject_id: UUID | None = None
    field: str = ""
    actor_id: UUID | None
    creator_id: UUID | None = None
    sha256: str
    excerpt: str = ""
    findings: tuple[Finding, ...] = ()
    verdict: Verdict
    hard: bool = False
    score: float | None = None
    edition: str
    judged_at: datetime


def digest(content: str | bytes) -> str:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()
