"""Under which keys the encrypted columns are, and how they come under the newest."""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class KeyCount(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a table. `old` need a key other than the newest; `lost` none of the keys decrypts."""

    table: str
    rows: int = 0
    old: int = 0
    lost: int = 0


class RotatedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """`rewritten` are under the newest key now; `missed` were written by others meanwhile."""

    table: str
    read: int
    rewritten: int
    missed: int


class ColumnKeys(Protocol):
    """Every table with encrypted columns. What is read and what is answered holds no plain text."""

    def count(self) -> AsyncIterator[KeyCount]:
        """How far each table has been counted, batch by batch; its last count is of all of it."""
        ...

    def rotate(self) -> AsyncIterator[RotatedBatch]:
        """Write all that is under older keys under the newest, a short transaction for each batch.

        A row that was written between reading and writing stays as that writer left it. May be
        stopped and begun again at any time.
        """
        ...
