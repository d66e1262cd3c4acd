"""Word lists are data: files with a head that says which they are and what follows of a match.

    version: 2026-11-21
    list: sexual
    category: sexual
    match: word
    role: block

    a word
    a phrase of several words

`match: word` stands alone, also in the plural; `stem` begins a word; `anywhere` may stand inside
one, for scripts that do not part words; `age` takes numbers: each line is a form in which an age is
said. What a list's `role` is:

* `hard`: blocked, whatever anybody permits, and told to the moderators;
* `block`; `adult`, which is block unless adult uses are licensed; `review`;
* `signal`: nothing by itself, a part of the rules below;
* `allow`: what looks like a match and is none. Whatever lies within is forgotten.

A rules file has lines `role category name: list + list, list`: a match of one of the lists left of
the plus and one of those right of it, anywhere in a text.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.moderation.judgement import Category

ADULT_YEARS = 18


class Role(StrEnum):
    HARD = "hard"
    BLOCK = "block"
    ADULT = "adult"
    REVIEW = "review"
    SIGNAL = "signal"
    ALLOW = "allow"


class Match(StrEnum):
    WORD = "word"
    STEM = "stem"
    ANYWHERE = "anywhere"
    AGE = "age"


class ListMalformed(ValueError):
    """A file of the package is not what it should be: found at the start, never by a request."""


@dataclass(frozen=True, slots=True)
class WordList:
    name: str
    version: str
    category: Category
    match: Match
    role: Role
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Hit where a text has something of both sides."""

    role: Role
    category: Category
    name: str
    left: frozenset[str]
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lists:
    """All that texts are judged by. The edition changes when any word does."""

    lists: tuple[WordList, ...]
    rules: tuple[Rule, ...]
    edition: str


def parse_list(text: str) -> WordList:
    """Raises ListMalformed."""
    head, _, body = text.partition("\n\n")
    facts = dict(_fact(line) for line in _lines(head))
    try:
        return WordList(
            name=facts["list"],
            version=facts["version"],
            category=Category(facts["category"]),
            match=Match(facts["match"]),
            role=Role(facts["role"]),
            words=tuple(dict.fromkeys(_lines(body))),
        )
    except (KeyError, ValueError) as error:
        raise ListMalformed(f"The head of a word list is wrong: {error}") from error


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Raises ListMalformed."""
    rules = []
    for line in _lines(text):
        said, lists = _fact(line)
        try:
            role, category, name = said.split()
            left, right = map(_names, lists.split("+"))
            rules.append(Rule(Role(role), Category(category), name, left, right))
        except ValueError as error:
            raise ListMalformed(f"A rule is wrong: {line}") from error
    return tuple(rules)


def together(files: Mapping[str, str]) -> Lists:
    """The lists of these files, by name; the one called `rules` has the rules."""
    lists = tuple(parse_list(text) for name, text in sorted(files.items()) if name != "rules")
    rules = parse_rules(files.get("rules", ""))
    known = {each.name for each in lists}
    for rule in rules:
        if unknown := (rule.left | rule.right) - known:
            raise ListMalformed(f"A rule names lists that are not there: {sorted(unknown)}")
    content = hashlib.sha256("\0".join(text for _, text in sorted(files.items())).encode())
    newest = max((each.version for each in lists), default="")
    return Lists(lists, rules, f"{newest}.{content.hexdigest()[:8]}")


def _lines(text: str) -> Iterable[str]:
    for line in text.splitlines():
        said = line.partition("#")[0].strip()
        if said:
            yield said


def _fact(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ListMalformed(f"This line has no colon: {line}")
    return name.strip(), value.strip()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(","))
