"""Columns that only we can read: Fernet (AES-128-CBC with HMAC-SHA256) under the settings' keys.

The first key encrypts; all of them decrypt, so that keys can be rotated: what is written again is
written under the new one, and `likeness keys rotate` writes the rest. The keys come as a callable
and stand in no migration.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Text,
    TypeDecorator,
    case,
    func,
    literal,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

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
        return None if value is None else _seal(value.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else _open(value).decode()


class EncryptedJson(TypeDecorator[Any]):
    """A value of the domain as JSONB that holds one encrypted string. What was written in clear,
    as an object, before a column was encrypted is read as it is."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: type[Any]) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return _seal(msgspec.json.encode(value)) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, str):
            return msgspec.json.decode(_open(value), type=self.kind)
        return None if value is None else msgspec.convert(value, self.kind)


def _seal(content: bytes) -> str:
    return _sealer.fernet().encrypt(content).decode()


def _open(sealed: str) -> bytes:
    try:
        return _sealer.fernet().decrypt(sealed)
    except InvalidToken as error:
        raise KeysMissing("none of LIKENESS_SECRET_KEY decrypts a stored value") from error


def is_encrypted(column: Column[Any]) -> bool:
    return isinstance(column.type, EncryptedText | EncryptedJson)


def sealed_in(column: Column[Any]) -> ColumnElement[str | None]:
    """What is stored in a column, still sealed; NULL where it is in clear."""
    if isinstance(column.type, EncryptedText):
        return type_coerce(column, Text)
    raw = type_coerce(column, JSONB)
    return case((func.jsonb_typeof(raw) == "string", raw.op("#>>")(text("'{}'"))))


def to_store(column: Column[Any], sealed: str | None) -> ColumnElement[Any]:
    value = literal(sealed, Text)
    return value if isinstance(column.type, EncryptedText) else func.to_jsonb(value)


def encrypted_json(name: str, kind: type[Any], *, nullable: bool = False) -> Column[Any]:
    return Column(name, EncryptedJson(kind), nullable=nullable)


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
