"""What judges texts and images, and keeping what was judged, reported and decided."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.moderation.case import CaseState, ModerationCase, Origin, Report, SubjectKind
from domain.moderation.judgement import Category, Judgement
from domain.moderation.record import JudgementRecord
from domain.moderation.strikes import Strike


class TextModerator(Protocol):
    async def judge(
        self, text: str, *, words: tuple[str, ...] = (), adult: bool = False
    ) -> Judgement:
        """`words` are blocked as well, for this text alone. `adult`: adult uses are licensed.

        Raises Unavailable where it asks somebody who does not answer.
        """
        ...


class TextScores(msgspec.Struct, frozen=True, kw_only=True):
    """How likely, from 0 to 1, a text is of a category; by which classifier."""

    scores: Mapping[Category, float]
    classifier: str


class TextClassifier(Protocol):
    """Somebody who sees what a text means, where lists see words. Usually outside: never asked
    within a transaction."""

    async def classify(self, text: str) -> TextScores:
        """Raises Unavailable, Rejected, OutcomeUnknown."""
        ...


class ImageScores(msgspec.Struct, frozen=True, kw_only=True):
    """How likely, from 0 to 1, the image is not safe for work; by which classifier."""

    nsfw: float
    classifier: str


class ImageClassifier(Protocol):
    """CPU-bound: never run on the event loop."""

    async def classify(self, content: bytes) -> ImageScores:
        """Raises ImageRefused for bytes that are no image, Unavailable when too many wait."""
        ...


Judgements = Repository[JudgementRecord]
"""Append-only: what is added is never changed."""


class ModerationCases(Repository[ModerationCase], Protocol):
    """There is one case that waits for each subject: adding another raises AlreadyExists."""

    async def waiting_for(self, kind: SubjectKind, subject_id: UUID) -> ModerationCase | None:
        """The case that waits for a moderator, locked."""
        ...

    async def holds(self, kind: SubjectKind, subject_id: UUID) -> bool:
        """Whether a case keeps the subject from being shown."""
        ...

    async def about_refused(
        self, owner_id: UUID, sha256s: Collection[str]
    ) -> Mapping[str, ModerationCase]:
        """The newest case of the owner about each of these refused texts or files that has one."""
        ...


class Reports(Repository[Report], Protocol):
    """A person has one open report of a subject: another raises AlreadyReported."""

    async def open_of(self, case_id: UUID) -> list[Report]: ...


class Strikes(Repository[Strike], Protocol):
    async def of_user(self, user_id: UUID) -> Sequence[Strike]:
        """Oldest first."""
        ...

    async def of_case(self, case_id: UUID) -> Strike | None: ...


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it is listed."""

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    owner_id: UUID
    origin: Origin
    category: Category
    hard: bool
    hidden: bool
    reports: int
    excerpt: str
    state: CaseState
    note: str
    appeal: str
    opened_at: datetime
    decided_at: datetime | None
    appealed_at: datetime | None


class ModerationDepth(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting` for a moderator by category, and how long the oldest has; `hard_blocks` ever."""

    waiting: Mapping[str, int]
    oldest_age_s: float
    hard_blocks: int


class ModerationViews(Protocol):
    async def queue(
        self,
        *,
        state: CaseState | None,
        kind: SubjectKind | None,
        before: UUID | None,
        limit: int,
    ) -> list[CaseRow]:
        """The newest first. No state: those that wait for a moderator."""
        ...

    async def of_owner(
        self, owner_id: UUID, *, before: UUID | None, limit: int
    ) -> list[CaseRow]: ...

    async def depth(self, *, now: datetime) -> ModerationDepth: ...
