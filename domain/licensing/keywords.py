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
    "аеорсухікмнвтԁѕјһαεορυικτν" + "0134578@$!|l",
    "aeopcyxikmhbtdsjhaeopuiktv" + "oieastbasiii",
)
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """The words of `text`, folded, with one space around each."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return f" {' '.join(_WORD.findall(plain.translate(_LOOK_ALIKES)))} "


@lru_cache(maxsize=8192)
def folded_keyword(keyword: str) -> str:
    return fold(keyword)


def blocked_words(text: str, keywords: tuple[str, ...]) -> list[str]:
    """The keywords that stand in `text`, in the order in which they are listed."""
    if not keywords or not text:
        return []
    folded = fold(text)
    return [k for k in keywords if (needle := folded_keyword(k)).strip() and needle in folded]
