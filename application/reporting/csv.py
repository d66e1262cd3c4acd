"""Tables as CSV (RFC 4180) that is safe to open: no cell of it can run as a formula.

Spreadsheets run what begins with `=`, `+`, `-`, `@`, a tab or a return. Text that does is given
an apostrophe in front; numbers are numbers, and stay.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

from application.ports.documents import Cell

_AT_ONCE = 5_000
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def encode_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


async def csv_file(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """A whole file, made off the event loop."""
    return await asyncio.to_thread(_file, columns, rows)


async def stream_csv(
    columns: Sequence[str], batches: AsyncIterator[Sequence[Sequence[Cell]]]
) -> AsyncIterator[bytes]:
    """The heading, then each batch as it comes. The mark in front tells Excel that it is UTF-8."""
    yield _heading(columns)
    async for batch in batches:
        if batch:
            yield encode_rows(batch)


def _file(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    out = io.BytesIO()
    out.write(_heading(columns))
    for start in range(0, len(rows), _AT_ONCE):
        out.write(encode_rows(rows[start : start + _AT_ONCE]))
    return out.getvalue()


def _heading(columns: Sequence[str]) -> bytes:
    return b"\xef\xbb\xbf" + encode_rows([columns])


def _cell(cell: Cell) -> str | int:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str() if cell.startswith(_STARTS_FORMULA):
            return "'" + cell
        case _:
            return cell
