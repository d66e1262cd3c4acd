"""Papers and tables that leave us: PDF for people, Parquet for their programs.

Both are CPU-bound: never made on the event loop. Both are deterministic: the same content gives
the same bytes, so that a hash kept today proves a copy made in ten years.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.shared.errors import RuleRefused

PDF_ROWS_MAX = 5_000
"""Some 120 pages. Longer lists are read by programs: they are had as CSV."""


class DocumentTooLong(RuleRefused):
    """The list is too long for paper: ask for a shorter period, or for CSV."""

    code = "document_too_long"

    def __init__(self, limit: int) -> None:
        super().__init__(
            "The list is too long for this format: ask for a shorter period, or for CSV.",
            rows_max=limit,
        )


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """`share` is the column's part of the page's width, relative to the others'."""

    title: str
    share: int = 1
    right: bool = False


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a heading. The last `totals` rows are set apart as its sums."""

    heading: str
    columns: list[Column]
    rows: list[list[str]]
    totals: int = 0


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the paper. `made_at` is written into the file: say when its facts were
    frozen, not when it is drawn."""

    title: str
    facts: list[tuple[str, str]]
    sections: list[Section]
    notes: list[str] = []
    made_at: datetime


class DocumentRenderer(Protocol):
    async def pdf(self, document: Document) -> bytes:
        """Raises DocumentTooLong for more than `PDF_ROWS_MAX` rows, and Unavailable."""
        ...


class CellKind(StrEnum):
    """What a column of a table holds; every cell may be empty."""

    TEXT = "text"
    INTEGER = "integer"
    INSTANT = "instant"


Cell = str | int | datetime | None
Table = dict[str, CellKind]
"""The columns of a table, in order."""


class TableEncoder(Protocol):
    async def parquet(self, table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
        """One Parquet file. Rows are in memory already: callers bound them."""
        ...
