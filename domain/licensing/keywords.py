"""Find blocked words even where they are dressed up: case, accents, look-alikes, leet.

Text and keyword are folded the same way and compared word by word, so that `ass` does not stand
in `class`. Folding errs on the side of the creator: some different words become the same.
"""

import re
import unicodedata
from functools import lru_cache

# Look-alikes of Latin letters that survive compatibility decomposition: Cyrillic, Greek, digits
# and signs. `i`, `l`, `1`, `!` and `|` are one letter here.
_LOOK_ALIKES = str.maketrans(
    "аеорсухікмнвтԁѕјһαεορυικτν" + "0134578l",
    "aeopcyxikmhbtdsjhaeopuiktv" + "oieastbi",
)
_WORD = re.compile(r"[^\W_]+")
_LEADING_SIGNS = re.compile(r"(?<![\w@$!|])[@$!|]+")
_TRAILING_SIGNS = re.compile(r"[@!|]+(?![\w@$!|])")


def fold(text: str) -> str:
    """The words of `text`, folded, with one space around each; every sign is a letter."""
    return _words(_plain(text))


def readings(text: str) -> set[str]:
    """The ways to read `text`: a sign at the edge of a word may be a letter (`a$$`, `@ss`) or
    mere punctuation (`ass!`, `@ass`)."""
    plain = _plain(text)
    if not any(sign in plain for sign in "@$!|"):
        return {_words(plain)}
    tails = (plain, _TRAILING_SIGNS.sub(" ", plain))
    return {_words(t) for tail in tails for t in (tail, _LEADING_SIGNS.sub(" ", tail))}


@lru_cache(maxsize=8192)
def folded_keyword(keyword: str) -> str:
    return fold(keyword)


def blocked_words(text: str, keywords: tuple[str, ...]) -> list[str]:
    """The keywords that stand in `text`, in the order in which they are listed."""
    if not keywords or not text:
        return []
    read = readings(text)
    return [
        keyword
        for keyword in keywords
        if (needle := folded_keyword(keyword)).strip() and any(needle in r for r in read)
    ]


def _plain(text: str) -> str:
    """Folded but for signs, without characters that do not show (they would split a word)."""
    if text.isascii():
        return text.lower().translate(_LOOK_ALIKES)
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    ).translate(_LOOK_ALIKES)


def _words(plain: str) -> str:
    lettered = plain.replace("@", "a").replace("$", "s").replace("!", "i").replace("|", "i")
    return f" {' '.join(_WORD.findall(lettered))} "
