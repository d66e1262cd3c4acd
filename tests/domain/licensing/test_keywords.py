"""Blocked words are found however they are dressed up, and not inside other words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.keywords import blocked_words


@pytest.mark.parametrize(
    "text",
    [
        "kill",
        "KILL",
        "to kill, or not",
        "kíll",
        "k\u0301i\u0308ll",
        "ｋｉｌｌ",
        "𝐤𝐢𝐥𝐥",
        "кill",
        "κιll",
        "k1ll",
        "k!ll",
        "ki11",
        "k|||",
        "(kill)",
        "kill!",
        "kill!!",
        "!kill!",
        "@kill",
        "«kill»",
        "k!ll!",
        "ki\u200bll",
        "ki\u00adll",
        "_kill_",
    ],
)
def test_a_blocked_word_is_found(text: str) -> None:
    assert blocked_words(text, ("kill",)) == ["kill"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a$$", "ass"),
        ("a$$!", "ass"),
        ("@ss", "ass"),
        ("$3x!", "sex"),
        ("n4z1", "nazi"),
        ("NA2I", "na2i"),
        ("straße", "STRASSE"),
        ("5еху", "sexy"),
    ],
)
def test_signs_digits_and_look_alikes_stand_for_letters(text: str, word: str) -> None:
    assert blocked_words(text, (word,)) == [word]


@pytest.mark.parametrize("text", ["class", "assess", "bass", "as s", "a-s-s", "", "   ", "!!!"])
def test_a_blocked_word_inside_another_is_another_word(text: str) -> None:
    assert blocked_words(text, ("ass",)) == []


def test_several_words_are_found_across_spaces_and_signs() -> None:
    assert blocked_words("He said: HATE — speech!", ("hate speech",)) == ["hate speech"]
    assert blocked_words("hate no speech", ("hate speech",)) == []
    assert blocked_words("I hate speeches", ("hate speech",)) == []


def test_found_words_come_in_the_order_of_the_list() -> None:
    assert blocked_words("b a c", ("c", "x", "a")) == ["c", "a"]


def test_a_keyword_without_letters_blocks_nothing() -> None:
    assert blocked_words("anything — at all", ("—", "", " ")) == []


@given(st.text(max_size=40), st.text("abcdefgh", min_size=3, max_size=8), st.text(max_size=40))
def test_a_word_that_stands_alone_is_always_found(before: str, word: str, after: str) -> None:
    assert blocked_words(f"{before} {word} {after}", (word,)) == [word]
