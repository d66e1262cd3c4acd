"""Seeing through disguises, for any text: properties of folding, and of what is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.moderation.judgement import Verdict, redacted
from domain.moderation.look_alikes import LOOK_ALIKES
from domain.moderation.reading import fold, read, span_in
from tests.moderating import shipped_moderator

BLOCKED = ["porn", "naked", "boobs", "rapist", "pussy", "swastika", "nudify", "threesome"]
JOINTS = ["", " ", ".", "-", "_", "/", " . ", "\u200b", "\u2060", "💧"]
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
BY_LETTER = {
    letter: [strange for strange, plain in LOOK_ALIKES.items() if plain == letter]
    for letter in "abcdefghijklmnopqrstuvwxyz"
}


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_reading_tells_the_same_number_of_things_of_every_letter(text: str) -> None:
    reading = read(fold(text))
    count = len(reading.letters)
    assert len(reading.repeated) == len(reading.before) == len(reading.at) == count
    assert all(place < len(fold(text)) for place in reading.at)


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_a_span_lies_within_its_text(text: str, start: int, length: int) -> None:
    first, last = span_in(text, start, start + length)
    assert 0 <= first <= last <= len(text)


@st.composite
def dressed(draw: st.DrawFn) -> tuple[str, str]:
    """A blocked word, and the same in one or several disguises at once."""
    word = draw(st.sampled_from(BLOCKED))
    joint = draw(st.sampled_from(JOINTS))
    stretched = draw(st.integers(0, len(word) - 1))
    letters = []
    for place, letter in enumerate(word):
        ways = [letter, letter.upper(), letter + "\u0301", chr(ord(letter) + 0xFEE0)]
        ways += BY_LETTER[letter]
        if place % 2:
            ways += [LEET[letter]] if letter in LEET else []
        shown = draw(st.sampled_from(ways))
        times = draw(st.sampled_from([1, 3, 5])) if place == stretched and joint == "" else 1
        letters.append(shown * times)
    return word, joint.join(letters)


@given(dressed())
async def test_a_blocked_word_is_found_in_disguise(case: tuple[str, str]) -> None:
    word, disguise = case
    for text in (disguise, f"a photo, {disguise} at sea"):
        judgement = await shipped_moderator().judge(text)
        assert judgement.verdict is Verdict.BLOCKED, (word, text)


@given(st.text(max_size=40))
async def test_any_text_is_judged(text: str) -> None:
    judgement = await shipped_moderator().judge(text)
    for finding in judgement.findings:
        assert 0 <= finding.start <= finding.end <= len(text)
    assert len(redacted(text, judgement.findings)) <= 200


@pytest.mark.parametrize("text", ["ass", "class", "as such", "grass", "assess"])
async def test_a_creator_s_words_are_blocked_where_they_stand_alone(text: str) -> None:
    judgement = await shipped_moderator().judge(text, words=("ass",))
    assert (judgement.verdict is Verdict.BLOCKED) == (text == "ass")


async def test_a_creator_s_words_are_nobody_else_s() -> None:
    text = "a glass of w1ne"
    moderator = shipped_moderator()
    assert (await moderator.judge(text, words=("wine",))).verdict is Verdict.BLOCKED
    assert (await moderator.judge(text, words=("beer",))).verdict is Verdict.ALLOWED
    assert (await moderator.judge(text)).verdict is Verdict.ALLOWED


async def test_an_adult_licence_permits_adults_and_nothing_else() -> None:
    moderator = shipped_moderator()
    assert (await moderator.judge("a nude woman", adult=True)).verdict is Verdict.ALLOWED
    for text in ("a nude teen", "rape", "leaked nudes"):
        assert (await moderator.judge(text, adult=True)).verdict is Verdict.BLOCKED


async def test_an_excerpt_tells_nothing_of_what_was_found() -> None:
    text = "please make p0rn with my neighbour at 12 Known Street"
    excerpt = redacted(text, (await shipped_moderator().judge(text)).findings)
    assert excerpt == "please make ▇▇▇▇ with my neighbour at ▇▇…"
