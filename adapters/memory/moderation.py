"""What was judged, in dicts; and moderators and classifiers that do as they are told."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from application.ports.errors import ProviderError
from application.ports.moderation import ImageScores, TextScores
from domain.moderation.case import AlreadyReported, ModerationCase, Report, SubjectKind
from domain.moderation.judgement import Category, Judgement
from domain.moderation.judging import Search, Searches, judge_text
from domain.moderation.lists import Lists, Match, Role, WordList
from domain.moderation.patterns import Pattern, Patterns, patterns_of
from domain.moderation.strikes import Strike

CASE_KEYS: UniqueKeys[ModerationCase] = {
    lambda one: (one.subject_kind, one.subject_id) if one.waits else None: already_exists
}
REPORT_KEYS: UniqueKeys[Report] = {
    lambda one: (
        (one.reporter, one.subject_kind, one.subject_id) if one.closed_at is None else None
    ): lambda: AlreadyReported("You have reported this: it is being looked at.")
}
STRIKE_KEYS: UniqueKeys[Strike] = {lambda one: one.case_id: already_exists}

_NO_LISTS = Lists((), (), "none")


class MemoryTextModerator:
    """Looks for each word in turn: right, and slow. See `application.ports.moderation`.

    `fail_with` is raised by the next judgements, until it is taken away.
    """

    def __init__(self, lists: Lists = _NO_LISTS) -> None:
        self._lists = lists
        self._searches = _searches(lists.lists)
        self.fail_with: Exception | None = None
        self.asked: list[str] = []

    async def judge(
        self, text: str, *, words: tuple[str, ...] = (), adult: bool = False
    ) -> Judgement:
        self.asked.append(text)
        if self.fail_with is not None:
            raise self.fail_with
        own = WordList("creator_words", "", Category.CREATOR_WORDS, Match.WORD, Role.BLOCK, words)
        return judge_text(text, self._lists, [self._searches, _searches((own,))], adult=adult)


class MemoryTextClassifier:
    """Scores by words: a text that holds a key has its scores. See `application.ports.moderation`.

    `failures` are raised one after the other; `delay_s` is how long each answer takes.
    """

    def __init__(self) -> None:
        self.scores: dict[str, dict[Category, float]] = {}
        self.failures: list[ProviderError] = []
        self.delay_s = 0.0
        self.asked: list[str] = []

    async def classify(self, text: str) -> TextScores:
        self.asked.append(text)
        await asyncio.sleep(self.delay_s)
        if self.failures:
            raise self.failures.pop(0)
        found = [scores for word, scores in self.scores.items() if word in text]
        return TextScores(
            scores={category: score for one in found for category, score in one.items()},
            classifier="memory",
        )


class MemoryImageClassifier:
    """Scores by content; 0 for what it was not told of. See `application.ports.moderation`.

    `fail_with` is raised until it is taken away.
    """

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.score_of_others = 0.0
        self.fail_with: Exception | None = None

    async def classify(self, content: bytes) -> ImageScores:
        if self.fail_with is not None:
            raise self.fail_with
        nsfw = self.scores.get(content, self.score_of_others)
        return ImageScores(nsfw=nsfw, classifier="memory")


def _searches(lists: Iterable[WordList]) -> Searches:
    kept = tuple(lists)
    return Searches(
        plain=_search(patterns_of(kept)), masked=_search(patterns_of(kept, masked=True))
    )


def _search(patterns: Patterns) -> Search:
    def search(letters: str) -> Iterable[tuple[int, tuple[Pattern, ...]]]:
        for wanted, meant in patterns.items():
            start = letters.find(wanted)
            while start >= 0:
                yield start + len(wanted) - 1, meant
                start = letters.find(wanted, start + 1)

    return search


class MemoryModerationCases(MemoryRepository[ModerationCase]):
    """See `application.ports.moderation.ModerationCases`."""

    async def waiting_for(self, kind: SubjectKind, subject_id: UUID) -> ModerationCase | None:
        return next(self._where(lambda one: one.waits and _is_about(one, kind, subject_id)), None)

    async def holds(self, kind: SubjectKind, subject_id: UUID) -> bool:
        return any(self._where(lambda one: one.hidden and _is_about(one, kind, subject_id)))

    async def about_refused(
        self, owner_id: UUID, sha256s: Collection[str]
    ) -> Mapping[str, ModerationCase]:
        found = self._where(lambda one: one.owner_id == owner_id and one.refused_sha256 in sha256s)
        return {
            one.refused_sha256: one
            for one in sorted(found, key=lambda one: one.id)
            if one.refused_sha256 is not None
        }


class MemoryReports(MemoryRepository[Report]):
    """See `application.ports.moderation.Reports`."""

    async def open_of(self, case_id: UUID) -> list[Report]:
        found = self._where(lambda one: one.case_id == case_id and one.closed_at is None)
        return sorted(found, key=lambda one: one.id)


class MemoryStrikes(MemoryRepository[Strike]):
    """See `application.ports.moderation.Strikes`."""

    async def of_user(self, user_id: UUID) -> Sequence[Strike]:
        found = self._where(lambda one: one.user_id == user_id)
        return sorted(found, key=lambda one: one.at)

    async def of_case(self, case_id: UUID) -> Strike | None:
        return next(self._where(lambda one: one.case_id == case_id), None)


def _is_about(case: ModerationCase, kind: SubjectKind, subject_id: UUID) -> bool:
    return case.subject_kind is kind and case.subject_id == subject_id
