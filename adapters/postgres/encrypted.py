"""Columns that only we can read: Fernet (AES-128-CBC with HMAC-SHA256) under the settings' keys.

The first key encrypts; all of them decrypt, so that keys can be rotated: what is written again is
written under the new one. The keys come as a callable and stand in no migration.
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
        if self.keys is None:
            raise KeysMissing("call use_keys() before encrypted columns are read or written")
        return MultiFernet(
            [
                Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key.encode()).digest()))
                for key in self.keys()
            ]
        )


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
