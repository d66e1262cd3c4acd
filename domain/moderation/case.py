"""A case: something that was blocked, doubted or reported, and what people made of it.

What lists and classifiers refuse is blocked until its owner appeals, once. What they doubt, what
is reported, and what may never be (hard) waits for a moderator. One moderator decides; the decision
on an appeal is the last one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.moderation.judgement import Category
from domain.shared.errors import Conflict, RuleRefused


class SubjectKind(StrEnum):
    """A `text` or an `upload` is one that was refused, and is nothing else."""

    TEXT = "text"
    UPLOAD = "upload"
    ASSET = "asset"
    PRODUCT = "product"
    CREATOR = "creator"
    TEMPLATE = "template"
    CHARACTER = "character"
    PRESET = "preset"


class Origin(StrEnum):
    JUDGEMENT = "judgement"
    REPORT = "report"


class CaseState(StrEnum):
    """`upheld`: blocked, and the appeal was refused."""

    OPEN = "open"
    APPROVED = "approved"
    BLOCKED = "blocked"
    APPEALED = "appealed"
    UPHELD = "upheld"


WAITING = frozenset({CaseState.OPEN, CaseState.APPEALED})
"""A moderator has to decide."""


class CaseDecided(Conflict):
    """Another moderator has decided, or nothing waits for a decision."""

    code = "case_decided"


class AlreadyAppealed(Conflict):
    """A decision is appealed against once."""

    code = "already_appealed"


class NotAppealable(RuleRefused):
    """Nothing was blocked, it waits for a moderator anyway, or it may never be."""

    code = "not_appealable"


@dataclass(eq=False, kw_only=True)
class ModerationCase:
    """`hidden`: the subject is not shown while the case is open, or because of it.

    `refused_sha256` is that of a text or a file that was refused: once approved, its owner may use
    the text, and send the file again to be looked at by a moderator.
    """

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    owner_id: UUID
    origin: Origin
    category: Category
    hard: bool = False
    hidden: bool = False
    reports: int = 0
    judgement_id: UUID | None = None
    refused_sha256: str | None = None
    excerpt: str = ""
    state: CaseState = CaseState.OPEN
    note: str = ""
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    appeal: str = ""
    appealed_at: datetime | None = None
    opened_at: datetime
    version: int = 1

    @property
    def waits(self) -> bool:
        return self.state in WAITING

    def decide(self, *, approved: bool, note: str, by: UUID, at: datetime) -> None:
        """Raises CaseDecided."""
        if not self.waits:
            raise CaseDecided("This case has been decided.", state=str(self.state))
        blocked = CaseState.UPHELD if self.state is CaseState.APPEALED else CaseState.BLOCKED
        self.state = CaseState.APPROVED if approved else blocked
        self.hidden = not approved
        self.note, self.decided_by, self.decided_at = note, by, at

    def appeal_with(self, words: str, *, at: datetime) -> None:
        """Raises AlreadyAppealed, NotAppealable."""
        if self.appealed_at is not None:
            raise AlreadyAppealed("The decision was appealed against before.")
        if self.hard or self.state is not CaseState.BLOCKED:
            raise NotAppealable("There is nothing here that can be appealed against.")
        self.state = CaseState.APPEALED
        self.appeal, self.appealed_at = words, at


class ReportReason(StrEnum):
    MINOR_SAFETY = "minor_safety"
    SEXUAL = "sexual"
    NON_CONSENSUAL = "non_consensual"
    HATE = "hate"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    INFRINGEMENT = "infringement"
    OTHER = "other"


class AlreadyReported(Conflict):
    """The caller has reported it, and nobody has decided yet."""

    code = "already_reported"


@dataclass(eq=False, kw_only=True)
class Report:
    """One person's word about one thing. `reporter` is who, as far as we can tell people apart:
    an account, or the address of a guest, hashed. Closed when its case is decided."""

    id: UUID
    case_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    reporter: str
    reporter_id: UUID | None
    reason: ReportReason
    text: str = ""
    created_at: datetime
    closed_at: datetime | None = None


HIDE_AT_REPORTS = 3
"""So many people with accounts, and it is hidden until somebody has looked at it."""

HIDE_AT_ONCE = frozenset({ReportReason.MINOR_SAFETY})
"""Reasons for which one account is enough."""


def hides(reason: ReportReason, *, by_account: bool, accounts: int) -> bool:
    """Whether a report hides what it is about; `accounts` have reported it, this one included.
    Guests alone hide nothing: addresses cost nothing."""
    return by_account and (reason in HIDE_AT_ONCE or accounts >= HIDE_AT_REPORTS)
