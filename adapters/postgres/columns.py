"""Column types that several contexts share."""

from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB

E = TypeVar("E", bound=StrEnum)


class EnumText(TypeDecorator[E]):
    """A string enumeration as text; what the enumeration does not know is an error on reading."""

    impl = Text
    cache_ok = True

    def __init__(self, enumeration: type[E]) -> None:
        super().__init__()
        self.enumeration = enumeration

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> E | None:
        return None if value is None else self.enumeration(value)


def enum_text(
    name: str, enumeration: type[E], *, nullable: bool = False, **options: Any
) -> Column[E]:
    return Column(name, EnumText(enumeration), nullable=nullable, **options)


T = TypeVar("T")


class JsonOf(TypeDecorator[T]):
    """A value of the domain as JSONB, checked against its type when it is read."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: type[T]) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind

    def process_bind_param(self, value: T | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.to_builtins(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:
        return None if value is None else msgspec.convert(value, self.kind)


def json_of(name: str, kind: Any, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JsonOf(kind), nullable=nullable)
