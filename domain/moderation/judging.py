"""From what was searched for to a judgement: what is no match is forgotten, rules are applied."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from domain.moderation.judgement import Finding, Judgement, Verdict, judged
from domain.moderation.lists import ADULT_YEARS, Lists, Match, Role, WordList
from domain.moderation.patterns import Pattern, stands
from domain.moderation.reading import MASK, fold, read, span_in

Search = Callable[[str], Iterable[tuple[int, tuple[Pattern, ...]]]]
"""All patterns that stand in the letters, each with the place of its last letter."""

_VERDICTS = {
    Role.HARD: Verdict.BLOCKED,
    Role.BLOCK: Verdict.BLOCKED,
    Role.ADULT: Verdict.BLOCKED,
    Role.REVIEW: Verdict.REVIEW,
}
_NUMBER = "<n>"
_NUMBERS = re.compile(r"(?<![0-9])[0-9]{1,2}(?![0-9])")
_FORM_MAX = 20
"""How far from its number an age may be called one."""


@dataclass(frozen=True, slots=True)
class Searches:
    """`masked` knows the words with letters starred out; it is asked only where there are stars."""

    plain: Search
    masked: Search


@dataclass(frozen=True, slots=True)
class _Hit:
    """`start` and `end` are places in the folded text."""

    source: WordList
    word: str
    start: int
    end: int


def judge_text(
    text: str, lists: Lists, searches: Iterable[Searches], *, adult: bool = False
) -> Judgement:
    """`adult`: adult uses are licensed here."""
    folded = fold(text)
    hits = [*_hits(folded, searches), *_ages(folded, lists)]
    allowed = [hit for hit in hits if hit.source.role is Role.ALLOW]
    meant = [
        hit
        for hit in hits
        if hit.source.role is not Role.ALLOW
        and not any(a.start <= hit.start and hit.end <= a.end for a in allowed)
    ]
    findings = dict.fromkeys(
        _finding(hit, text)
        for hit in meant
        if hit.source.role in _VERDICTS and not (adult and hit.source.role is Role.ADULT)
    )
    findings.update(dict.fromkeys(_together(meant, lists, text)))
    return judged(findings, lists.edition)


def _hits(folded: str, searches: Iterable[Searches]) -> Iterator[_Hit]:
    readings = [(read(folded), False)]
    if MASK in folded:
        readings.append((read(folded, masked=True), True))
    for reading, masked in readings:
        for search in searches:
            for last, patterns in (search.masked if masked else search.plain)(reading.letters):
                for pattern in patterns:
                    place = stands(pattern, reading, last + 1)
                    if place is None:
                        continue
                    start, end = place
                    until = reading.at[end - 1] + reading.repeated[end - 1]
                    yield _Hit(pattern.source, pattern.word, reading.at[start], until)


def _ages(folded: str, lists: Lists) -> Iterator[_Hit]:
    """Ages below eighteen, said in one of the listed forms."""
    young = [n for n in _NUMBERS.finditer(folded) if int(n.group()) < ADULT_YEARS]
    for source in lists.lists if young else ():
        if source.match is not Match.AGE:
            continue
        for number in young:
            first, last = max(0, number.start() - _FORM_MAX), number.end() + _FORM_MAX
            for found in _forms(source.words).finditer(folded, first, last):
                if found.start() <= number.start() and number.end() <= found.end():
                    yield _Hit(source, "age", *found.span())


_COMPILED: dict[tuple[str, ...], re.Pattern[str]] = {}


def _forms(words: tuple[str, ...]) -> re.Pattern[str]:
    if words not in _COMPILED:
        number = rf"[\s\-:]*{_NUMBERS.pattern}[\s\-]*"
        forms = (
            number.join(r"[\s\-]*".join(map(re.escape, part.split())) for part in parts)
            for parts in (fold(word).split(_NUMBER) for word in words)
        )
        _COMPILED[words] = re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")
    return _COMPILED[words]


def _together(hits: list[_Hit], lists: Lists, text: str) -> Iterator[Finding]:
    """Each half of a rule that holds is a finding, so that both are hidden in an excerpt."""
    for rule in lists.rules:
        left = [hit for hit in hits if hit.source.name in rule.left]
        right = [hit for hit in hits if hit.source.name in rule.right]
        for hit in (*left, *right) if left and right else ():
            yield Finding(
                rule.category,
                _VERDICTS.get(rule.role, Verdict.BLOCKED),
                rule.name,
                hit.word,
                *span_in(text, hit.start, hit.end),
                hard=rule.role is Role.HARD,
            )


def _finding(hit: _Hit, text: str) -> Finding:
    return Finding(
        hit.source.category,
        _VERDICTS[hit.source.role],
        hit.source.name,
        hit.word,
        *span_in(text, hit.start, hit.end),
        hard=hit.source.role is Role.HARD,
    )
