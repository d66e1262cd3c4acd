"""Words as they may stand in a reading, and whether one does.

Searching finds candidates by their letters alone; here is decided what counts: whole words, letters
repeated no less often than in the word, and gaps only where somebody has spelled it out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from domain.moderation.lists import Match, WordList
from domain.moderation.reading import JOINT, MASK, NO_GAP, Reading, fold, read

_LONG = 7
"""Words of so many letters are found in pieces too: by chance, other words do not make them up."""

_STRETCHED = 3
"""A letter so often in a row is meant once, or as often as the word has it."""

_DOUBLES_MAX = 4


@dataclass(frozen=True, slots=True)
class Pattern:
    """One spelling of a word: `letters` as they are searched, `runs` with how often each stands,
    `breaks` the places between its own words."""

    word: str
    source: WordList
    letters: str
    runs: tuple[tuple[str, int], ...]
    breaks: frozenset[int]

    @property
    def is_short(self) -> bool:
        return sum(count for _, count in self.runs) <= 3


Patterns = dict[str, tuple[Pattern, ...]]
"""By the letters that are searched for."""


def patterns_of(lists: Iterable[WordList], *, masked: bool = False) -> Patterns:
    """`masked` are the spellings in which one or two letters are starred out."""
    found: dict[str, list[Pattern]] = {}
    for source in lists:
        if source.match is Match.AGE:
            continue
        for word in source.words:
            spellings = _masked(word, source) if masked else _spellings(word, source)
            for pattern in spellings:
                found.setdefault(pattern.letters, []).append(pattern)
    return {letters: tuple(patterns) for letters, patterns in found.items()}


def stands(pattern: Pattern, reading: Reading, end: int) -> tuple[int, int] | None:
    """From where to where in the reading it stands, its last letter being before `end`; None when
    that is chance."""
    start = end - len(pattern.letters)
    source = pattern.source.match
    if source is not Match.ANYWHERE:
        if not reading.opens(start):
            return None
        if source is Match.WORD and not reading.closes(end):
            plural = end < len(reading.letters) and reading.letters[end] == "s"
            if not (plural and reading.closes(end + 1)):
                return None
    if not _repeats(pattern, reading, start, end) or not _spelled(pattern, reading, start, end):
        return None
    sure = sum(
        reading.repeated[place] for place in range(start, end) if place not in reading.guesses
    )
    if sure < (2 if pattern.is_short else 1):
        return None
    return start, end


def _repeats(pattern: Pattern, reading: Reading, start: int, end: int) -> bool:
    place = start
    long = not pattern.is_short  # `pornn`; short words would become others
    for letter, count in pattern.runs:
        seen, most = 0, 0
        while place < end and reading.letters[place] == letter:
            seen += reading.repeated[place]
            most = max(most, reading.repeated[place])
            place += 1
        if letter == MASK:
            if seen != count:
                return False
        elif seen < count or (seen > count and most < _STRETCHED and not long):
            return False
    return True


def _spelled(pattern: Pattern, reading: Reading, start: int, end: int) -> bool:
    gaps = [
        place
        for place in range(start + 1, end)
        if reading.before[place] != NO_GAP and place - start not in pattern.breaks
    ]
    if not gaps:
        return True
    if all(reading.before[place] == JOINT for place in gaps):
        return True
    whole = end - start
    if len(gaps) + len(pattern.breaks) >= whole - 1:
        return whole >= _STRETCHED
    return sum(count for _, count in pattern.runs) >= _LONG


def _spellings(word: str, source: WordList) -> Iterator[Pattern]:
    units = _units(word)
    if not units:
        return
    runs = tuple((letter, count) for letter, count, _, _ in units)
    doubles = [place for place, (_, count, _, _) in enumerate(units) if count > 1]
    choices = [(1, units[place][1]) for place in doubles[:_DOUBLES_MAX]]
    for chosen in product(*choices):
        pieces = dict(zip(doubles, chosen, strict=False))
        letters = ""
        breaks: set[int] = set()
        for place, (letter, _, opens, inside) in enumerate(units):
            if opens and letters:
                breaks.add(len(letters))
            size = pieces.get(place, 1)
            if inside and size > 1:
                breaks.update(range(len(letters) + 1, len(letters) + size))
            letters += letter * size
        yield Pattern(word, source, letters, runs, frozenset(breaks))


def _units(word: str) -> list[tuple[str, int, bool, bool]]:
    """Runs of one letter over the whole word: the letter, how often, whether a word of its own
    begins with it, whether one begins within."""
    reading = read(fold(word))
    units: list[tuple[str, int, bool, bool]] = []
    for place, letter in enumerate(reading.letters):
        count, opens = reading.repeated[place], reading.before[place] != NO_GAP
        if units and units[-1][0] == letter:
            _, before, opened, inside = units[-1]
            units[-1] = (letter, before + count, opened, inside or opens)
        else:
            units.append((letter, count, opens, False))
    return units


def _masked(word: str, source: WordList) -> Iterator[Pattern]:
    folded = fold(word)
    if not folded.isalpha() or source.match is Match.ANYWHERE:
        return
    for size in (1, 2):
        for place in range(1, len(folded) - size):
            dressed = folded[:place] + MASK * size + folded[place + size :]
            reading = read(dressed, masked=True)
            runs = tuple(zip(reading.letters, reading.repeated, strict=True))
            yield Pattern(word, source, reading.letters, runs, frozenset())
