"""Which passwords are good enough: long, and not among the first that anybody would try.

Length is what protects; no rule asks for digits or signs (NIST SP 800-63B, section 3.1.1.2).
"""

import re
import unicodedata
from collections.abc import Iterable

from domain.identity.common_passwords import COMMON_PASSWORDS, COMMON_WORDS
from domain.shared.errors import Invalid

MIN_LENGTH = 12
MAX_LENGTH = 256
"""A bound on the work that hashing one password may cost."""

_MIN_DISTINCT = 5
_MAX_PADDING = 8
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


class WeakPassword(Invalid):
    """Too short, too long, or easily guessed."""

    code = "weak_password"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"password": [message]})


def normalised_password(password: str) -> str:
    """The same characters whatever keyboard typed them: Unicode form NFKC."""
    return unicodedata.normalize("NFKC", password)


def acceptable_password(password: str, *, email: str, display_name: str) -> str:
    """The normalised password. Raises WeakPassword, which says what is wrong with it."""
    password = normalised_password(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    folded = password.casefold()
    if _is_personal(folded, (email, email.partition("@")[0], display_name)):
        raise WeakPassword("A password must not be your name or address.")
    if _is_common(folded):
        raise WeakPassword("This password is among the first that others would guess.")
    return password


def _is_personal(folded: str, known: Iterable[str]) -> bool:
    return _bare(folded) in {_bare(text.casefold()) for text in known} - {""}


def _bare(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _is_common(folded: str) -> bool:
    return (
        folded in COMMON_PASSWORDS
        or len(set(folded)) < _MIN_DISTINCT
        or _is_repetition(folded)
        or any(folded in run or folded[::-1] in run for run in _RUNS)
        or _is_padded_word(folded)
    )


def _is_repetition(text: str) -> bool:
    return text in (text + text)[1:-1]


def _is_padded_word(text: str) -> bool:
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    return word in COMMON_WORDS and len(text) - len(word) <= _MAX_PADDING
