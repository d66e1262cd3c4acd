"""Find blocked words even where they are dressed up: case, accents, look-alikes, leet.

Text and keyword are folded the same way and compared word by word, so that `ass` does not stand
in `class`. Folding errs on the side of the creator: some different words become the same.
"""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from domain.licensing.conditions import Topic
from domain.licensing.topics import banned_words, edition, words_of

# Look-alikes of Latin letters that survive compatibility decomposition: Cyrillic, Greek, digits
# and signs. `i`, `l`, `1`, `!` and `|` are one letter here.
_LOOK_ALIKES = str.maketrans(
    "аеорсухікмнвтԁѕјһαεορυικτν" + "0134578l",
    "aeopcyxikmhbtdsjhaeopuiktv" + "oieastbi",
)
_SIGNS = str.maketrans("@$!|", "asii")
_SIGN = re.compile(r"[@$!|]")
_WORD = re.compile(r"[^\W_]+")
_LEADING_SIGNS = re.compile(r"(?<![\w@$!|])[@$!|]+")
_TRAILING_SIGNS = re.compile(r"[@!|]+(?![\w@$!|])")


def fold(text: str) -> list[str]:
    """The words of `text`, folded; every sign is a letter."""
    return _words(_plain(text))


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[list[str], ...]:
    """The ways to read `text`: a sign at the edge of a word may be a letter (`a$$`, `@ss`) or
    mere punctuation (`ass!`, `@ass`). Kept, for a text is judged again and again."""
    plain = _plain(text)
    if _SIGN.search(plain) is None:
        return (_WORD.findall(plain),)
    tails = (plain, _TRAILING_SIGNS.sub(" ", plain))
    ways = {t for tail in tails for t in (tail, _LEADING_SIGNS.sub(" ", tail))}
    return tuple(_words(way) for way in sorted(ways))


class Ban(NamedTuple):
    """A word that may not stand in a text: of a topic, of the platform, or of the terms."""

    word: str
    topic: Topic | None = None
    by_platform: bool = False


Index = dict[str, list[tuple[int, list[str], Ban]]]
"""By the first folded word: the ban's place in its list, all its folded words, the ban."""


def blocked_words(text: str, keywords: tuple[str, ...]) -> list[str]:
    """The keywords that stand in `text`, in the order in which they are listed."""
    if not keywords or not text:
        return []
    return [ban.word for ban in find(text, _keyword_index(keywords))]


def bans(keywords: tuple[str, ...], topics: frozenset[Topic], at: datetime) -> Index:
    """What the platform bans, what gives the topics away, and the keywords, to look for."""
    return _whole_index(keywords, topics, edition(at))


def find(text: str, index: Index) -> list[Ban]:
    """What stands in `text`, in the order in which it is listed."""
    found: dict[int, Ban] = {}
    for words in readings(text):
        if index.keys().isdisjoint(words):
            continue
        found.update(
            (place, ban)
            for start, word in enumerate(words)
            for place, wanted, ban in index.get(word, ())
            if words[start : start + len(wanted)] == wanted
        )
    return [found[place] for place in sorted(found)]


@lru_cache(maxsize=1024)
def _keyword_index(keywords: tuple[str, ...]) -> Index:
    return _indexed([Ban(word) for word in keywords])


@lru_cache(maxsize=1024)
def _whole_index(keywords: tuple[str, ...], topics: frozenset[Topic], at: datetime) -> Index:
    return _indexed(
        [
            *(Ban(word, by_platform=True) for word in banned_words(at)),
            *(Ban(word, topic) for topic in sorted(topics) for word in words_of(topic, at)),
            *(Ban(word) for word in keywords),
        ]
    )


def _indexed(bans: list[Ban]) -> Index:
    index: Index = {}
    for place, ban in enumerate(bans):
        words = fold(ban.word)
        if words:
            index.setdefault(words[0], []).append((place, words, ban))
    return index


def _plain(text: str) -> str:
    """Folded but for signs, without characters that do not show (they would split a word)."""
    if text.isascii():
        return text.lower().translate(_LOOK_ALIKES)
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    ).translate(_LOOK_ALIKES)


def _words(plain: str) -> list[str]:
    return _WORD.findall(plain.translate(_SIGNS))
