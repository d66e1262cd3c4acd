"""Columns that only we can read: Fernet (AES-128-CBC with HMAC-SHA256) under the settings' keys.

The first key encrypts; all of them decrypt, so that keys can be rotated: what is written again is
written under the new one, and `likeness keys rotate` writes the rest. The keys come as a callable
and stand in no migration.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, Dialect, Text, TypeDecorator

_PURPOSE = b"likeness encrypted columns "


class KeysMissing(RuntimeError):
    """An encrypted column was used before the keys were given, or they are not those of before."""


class _Sealer:
    """Made anew when the keys change; deriving them takes no time worth keeping."""

    keys: Callable[[], Sequence[str]] | None = None

    def fernet(self) -> MultiFernet:
        return MultiFernet(self.each())

    def each(self) -> list[Fernet]:
        """One for each key, the newest first."""
        if self.keys is None:
            raise KeysMissing("call use_keys() before encrypted columns are read or written")
        return [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key.encode()).digest()))
            for key in self.keys()
        ]


_sealer = _Sealer()


def use_keys(keys: Callable[[], Sequence[str]]) -> None:
    """Newest first."""
    _sealer.keys = keys


class EncryptedText(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _sealer.fernet().encrypt(value.encode()).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return _sealer.fernet().decrypt(value).decode()
        except InvalidToken as error:
            raise KeysMissing("none of LIKENESS_SECRET_KEY decrypts a stored value") from error


def encrypted(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, EncryptedText(), nullable=nullable)


class Resealer:
    """Tells under which key a stored value is, and writes it under the newest. Made for a batch:
    deriving keys takes longer than using them."""

    def __init__(self) -> None:
        self._each = _sealer.each()
        self._all = MultiFernet(self._each)

    def key_of(self, stored: str) -> int | None:
        """0 is the newest key; None, if none of them decrypts it."""
        for number, fernet in enumerate(self._each):
            try:
                fernet.decrypt(stored)
            except InvalidToken:
                continue
            return number
        return None

    def renewed(self, stored: str) -> str:
        """Under the newest key. Whoever asks knows that some key decrypts it."""
        return self._all.rotate(stored).decode()
