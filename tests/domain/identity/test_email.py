"""One spelling for each mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.email import MAX_LENGTH, InvalidEmail, normalised_email

WORDS = st.text("abcXYZ019+_-", min_size=1, max_size=20)
LABELS = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ada.Lovelace@Example.ORG", "ada.lovelace@example.org"),
        ("  ada@example.org\n", "ada@example.org"),
        ("ada+shop@example.org", "ada+shop@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_mailbox_become_one(typed: str, stored: str) -> None:
    assert normalised_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@@example.org",
        "ada lovelace@example.org",
        ".ada@example.org",
        "ada.@example.org",
        "a..da@example.org",
        "ada@example..org",
        "ada@-example.org",
        "ada@example.org.",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        '"ada"@example.org',
        "ada@exam_ple.org",
        "ada@example.org\x00",
        "a\nda@example.org",
        "ада@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "a" * 64 + ".org",
        "ada@" + ".".join(["abcdefgh"] * 30),
        "x" * 100_000 + "@example.org",
    ],
)
def test_what_no_mailbox_is_called_is_refused(typed: str) -> None:
    with pytest.raises(InvalidEmail):
        normalised_email(typed)


@given(local=WORDS, labels=st.lists(LABELS, min_size=2, max_size=4))
def test_normalising_twice_changes_nothing(local: str, labels: list[str]) -> None:
    once = normalised_email(f"{local}@{'.'.join(labels)}")

    assert normalised_email(once) == once
    assert once == once.lower()


@given(st.text(max_size=300))
def test_any_text_is_normalised_or_refused(text: str) -> None:
    try:
        email = normalised_email(text)
    except InvalidEmail:
        return
    assert email.isascii()
    assert len(email) <= MAX_LENGTH
