"""Read a text as a person would who sees through its disguises.

Folding takes away what only dresses a letter up: case, accents, full width, look-alikes of other
scripts, characters that do not show. The reading goes on to what may be a letter (digits and signs)
and remembers where there was space, so that `n.u.d.e` and `s p a c e d` can be told from `as such`.
"""

import unicodedata
from dataclasses import dataclass

from domain.moderation.look_alikes import INVISIBLE, LEET, LOOK_ALIKES, SIGNS

MASK = "*"
"""Stands for a letter that somebody has starred out."""

_TABLE_MAX = 20_000
_SPACES = frozenset(" '’`´ʼ")
"""An apostrophe parts words as space does: `who're` is nothing else."""

_GUESSED = frozenset(LEET) - {"l"}

NO_GAP, JOINT, SPACE = 0, 1, 2
"""What stands before a letter: nothing; a sign that may join letters, as in `n-u-d-e`; space."""


class _Folded(dict[int, str]):
    """By code point; worked out once. Bounded, for a text may show us all of Unicode."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < _TABLE_MAX:
            self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    seen = character
    while True:
        plain = "".join(
            LOOK_ALIKES.get(c, c)
            for c in unicodedata.normalize("NFKD", seen).casefold()
            if not _is_hidden(c)
        )
        if plain == seen:
            return plain
        seen = plain


def _is_hidden(character: str) -> bool:
    if character in INVISIBLE:
        return True
    category = unicodedata.category(character)
    return category in {"Mn", "Me", "Cf", "Cs", "Cn", "Co"} or (
        category == "Cc" and not character.isspace()
    )


_FOLDED = _Folded()


class _Letters(dict[str, str]):
    """What a folded character is read as; nothing for what is no letter."""

    def __missing__(self, character: str) -> str:
        read = LEET.get(character) or (character if character.isalnum() else "")
        if len(self) < _TABLE_MAX:
            self[character] = read
        return read


_LETTERS = _Letters()
_WITH_MASK = _Letters({MASK: MASK})


def fold(text: str) -> str:
    """The text without disguise, still with its spaces, digits and signs. Folding twice is folding
    once."""
    return text.translate(_FOLDED)


@dataclass(frozen=True, slots=True)
class Reading:
    """`letters` one after the other, a letter repeated within a word standing once.

    By place: how often it was `repeated`, what stood `before` it, and where it starts in the
    folded text (`at`). `edges` are signs at the edge of a word, which may be punctuation; `guesses`
    are those that were no letters before they were read as such.
    """

    letters: str
    repeated: list[int]
    before: list[int]
    at: list[int]
    guesses: frozenset[int]
    edges: frozenset[int]

    def opens(self, place: int) -> bool:
        """Whether a word may begin here."""
        return self.before[place] != NO_GAP or place - 1 in self.edges

    def closes(self, end: int) -> bool:
        """Whether a word may end before here."""
        return end == len(self.letters) or self.before[end] != NO_GAP or end in self.edges


def read(folded: str, *, masked: bool = False) -> Reading:
    """`masked` reads a star as a letter that we do not know, not as a sign between letters."""
    table = _WITH_MASK if masked else _LETTERS
    letters: list[str] = []
    repeated: list[int] = []
    before: list[int] = []
    at: list[int] = []
    gap, last = SPACE, ""
    for place, character in enumerate(folded):
        letter = table[character]
        if not letter:
            if character in _SPACES or character.isspace():
                gap = SPACE
            elif gap == NO_GAP:
                gap = JOINT
        elif letter == last and gap == NO_GAP:
            repeated[-1] += 1
        else:
            letters.append(letter)
            repeated.append(1)
            before.append(gap)
            at.append(place)
            gap, last = NO_GAP, letter
    guesses = frozenset[int]()
    if not _GUESSED.isdisjoint(folded):
        guesses = frozenset(i for i, place in enumerate(at) if folded[place] in _GUESSED)
    signs = not SIGNS.isdisjoint(folded)
    edges = _edges(folded, before, at) if signs else frozenset[int]()
    return Reading("".join(letters), repeated, before, at, guesses, edges)


def _edges(folded: str, before: list[int], at: list[int]) -> frozenset[int]:
    """The places of signs from which to an end of their word there are only signs."""
    found: set[int] = set()
    count = len(at)
    for ahead, places in ((False, range(count)), (True, range(count - 1, -1, -1))):
        at_edge = True
        for place in places:
            begins = ahead and (place + 1 == count or before[place + 1] != NO_GAP)
            if begins or (not ahead and before[place] != NO_GAP):
                at_edge = True
            at_edge = at_edge and folded[at[place]] in SIGNS
            if at_edge:
                found.add(place)
    return frozenset(found)


def span_in(text: str, start: int, end: int) -> tuple[int, int]:
    """Where in `text` the part from `start` to before `end` of its folded form stands."""
    seen = 0
    first, last = len(text), len(text)
    for place, character in enumerate(text):
        if seen <= start:
            first = place
        seen += len(_FOLDED[ord(character)])
        if seen >= end:
            last = place + 1
            break
    return first, last
