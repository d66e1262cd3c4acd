"""Aho-Corasick: the time to search does not grow with the lists.

The automaton only proposes; `domain.moderation.patterns` decides what counts. A creator's own words
get a small automaton of their own, kept while their terms are asked for.
"""

from collections.abc import Iterable
from functools import lru_cache

import ahocorasick

from domain.moderation.judgement import Category, Judgement
from domain.moderation.judging import Search, Searches, judge_text
from domain.moderation.lists import Lists, Match, Role, WordList
from domain.moderation.patterns import Pattern, Patterns, patterns_of

CREATOR_WORDS = "creator_words"


class AutomatonModerator:
    """See `application.ports.moderation.TextModerator`."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._searches = _searches(lists.lists)

    async def judge(
        self, text: str, *, words: tuple[str, ...] = (), adult: bool = False
    ) -> Judgement:
        searches = [self._searches, _of_creator(words)] if words else [self._searches]
        return judge_text(text, self._lists, searches, adult=adult)


@lru_cache(maxsize=512)
def _of_creator(words: tuple[str, ...]) -> Searches:
    own = WordList(CREATOR_WORDS, "", Category.CREATOR_WORDS, Match.WORD, Role.BLOCK, words)
    return _searches((own,))


def _searches(lists: tuple[WordList, ...]) -> Searches:
    return Searches(
        plain=_search(patterns_of(lists)), masked=_search(patterns_of(lists, masked=True))
    )


def _search(patterns: Patterns) -> Search:
    if not patterns:
        return _nothing
    automaton = ahocorasick.Automaton()
    for letters, meant in patterns.items():
        automaton.add_word(letters, meant)
    automaton.make_automaton()
    return automaton.iter  # type: ignore[no-any-return]


def _nothing(letters: str) -> Iterable[tuple[int, tuple[Pattern, ...]]]:
    return ()
