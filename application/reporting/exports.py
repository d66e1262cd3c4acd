"""What an export is made of: the books by day, or a year's tax forms, as files of rows.

A span of days that are closed gives the same rows for ever. Every row carries the ids by which it
is found again in the books: transaction, position, effect key. Debit and credit are the sides of
`amount_cents`: a negative amount is a debit.

Nothing is ever in memory whole: rows come in batches and leave in files of `FILE_ROWS_MAX` rows.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.documents import Cell, TableEncoder
from application.ports.exports import ExportViews, table_of
from application.ports.reporting import Span
from application.ports.tax import TaxViews
from application.ports.unit_of_work import UnitOfWork
from application.reporting.csv import csv_file
from application.reporting.spans import PeriodInvalid, span_of
from application.reporting.tax_exports import form_cells
from domain.reporting.export import ExportFormat, ExportKind

FILE_ROWS_MAX = 100_000
CONTENT_TYPES = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}

Progress = Callable[[int], object]


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the books: `from` the first day, `to` the first that is not included (UTC), without them
    from the beginning and with today. Of tax forms: the `year` of the payments. `payee_id`: only
    what is about this creator or store."""

    kind: ExportKind
    format: ExportFormat = ExportFormat.CSV
    since: date | None = msgspec.field(default=None, name="from")
    until: date | None = msgspec.field(default=None, name="to")
    year: Annotated[int, msgspec.Meta(ge=2020, le=2100)] | None = None
    payee_id: UUID | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an export is about, its days decided."""

    kind: ExportKind
    format: ExportFormat
    span: Span
    payee_id: UUID | None

    @property
    def name(self) -> str:
        since, until = (day.isoformat() for day in self.span)
        return f"{self.kind}-{since[:4]}" if self.kind.form else f"{self.kind}-{since}-{until}"

    def file_name(self, number: int) -> str:
        return f"{self.name}.{number:04d}.{self.format}"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    name: str
    content: bytes
    rows: int


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The ports that exports are made with."""

    new_uow: Callable[[], UnitOfWork]
    views: ExportViews
    tax_views: TaxViews
    tables: TableEncoder


def asked_of(query: ExportQuery, *, now: datetime) -> Asked:
    """Raises PeriodInvalid."""
    return Asked(
        kind=query.kind,
        format=query.format,
        span=_span_of(query, now=now),
        payee_id=query.payee_id,
    )


def _span_of(query: ExportQuery, *, now: datetime) -> Span:
    if query.kind.form is None:
        if query.year is not None:
            raise PeriodInvalid(
                "A year is named for tax forms only: name days, by from and to.",
                fields={"year": ["is for tax forms only"]},
            )
        return span_of(query.since, query.until, now=now)
    if query.year is None or query.since or query.until:
        raise PeriodInvalid(
            "Tax forms are of a year: name it, and no days.", fields={"year": ["is required"]}
        )
    return Span(date(query.year, 1, 1), date(query.year + 1, 1, 1))


async def files_of(
    asked: Asked, *, books: Books, progress: Progress = lambda rows: None
) -> AsyncIterator[Made]:
    """At least one, of at most `FILE_ROWS_MAX` rows each."""
    held: list[Sequence[Cell]] = []
    made = told = 0

    async def file(rows: Sequence[Sequence[Cell]]) -> Made:
        content = await _encoded(asked, rows, tables=books.tables)
        return Made(name=asked.file_name(made), content=content, rows=len(rows))

    async for batch in _rows_of(asked, books=books):
        held.extend(batch)
        told += len(batch)
        progress(told)
        while len(held) > FILE_ROWS_MAX:
            made += 1
            yield await file(held[:FILE_ROWS_MAX])
            del held[:FILE_ROWS_MAX]
    made += 1
    yield await file(held)


def _rows_of(asked: Asked, *, books: Books) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    form = asked.kind.form
    if form is None:
        return books.views.rows(asked.kind, asked.span, payee_id=asked.payee_id)
    return form_cells(
        form,
        asked.span.since.year,
        payee_id=asked.payee_id,
        uow=books.new_uow(),
        views=books.tax_views,
    )


async def _encoded(asked: Asked, rows: Sequence[Sequence[Cell]], *, tables: TableEncoder) -> bytes:
    table = table_of(asked.kind)
    match asked.format:
        case ExportFormat.CSV:
            return await csv_file(list(table), rows)
        case ExportFormat.PARQUET:
            return await tables.parquet(table, rows)
