"""Accounting exports: the books by day, as rows that other systems import.

A span of days that are closed gives the same rows for ever. Every row carries the ids by which it
is found again in the books: transaction, position, effect key. Debit and credit are the sides of
`amount_cents`: a negative amount is a debit.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date

import msgspec

from application.ports.clock import Clock
from application.ports.documents import Cell, CellKind, DocumentTooLong, TableEncoder
from application.ports.exports import TABLES, ExportKind, ExportViews
from application.ports.reporting import Span
from application.reporting.csv import stream_csv
from application.reporting.spans import span_of
from domain.identity.actor import Actor, Role

PARQUET_ROWS_MAX = 100_000
"""Rows that are held in memory for one file of Parquet; larger exports are made of several."""


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the first day, `until` the first that is not included (UTC)."""

    kind: ExportKind
    since: date | None = None
    until: date | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    kind: ExportKind
    span: Span

    def file_name(self, ending: str) -> str:
        since, until = (day.isoformat() for day in self.span)
        return f"{self.kind}-{since}-{until}.{ending}"


def ask(query: ExportQuery, *, actor: Actor, clock: Clock) -> Asked:
    """For administrators. Raises RoleRequired, PeriodInvalid."""
    actor.require(Role.ADMIN)
    return asked_of(query, clock=clock)


def asked_of(query: ExportQuery, *, clock: Clock) -> Asked:
    """The same for the command line, which needs no actor. Raises PeriodInvalid."""
    return Asked(kind=query.kind, span=span_of(query.since, query.until, now=clock.now()))


def export_csv(
    asked: Asked, *, views: ExportViews, progress: Callable[[int], object] = lambda rows: None
) -> AsyncIterator[bytes]:
    """Of any length, in bounded memory."""
    return stream_csv(list(TABLES[asked.kind]), _told(asked, views=views, progress=progress))


async def export_parquet(asked: Asked, *, views: ExportViews, tables: TableEncoder) -> bytes:
    """One file. Raises DocumentTooLong for more than `PARQUET_ROWS_MAX` rows."""
    files = [file async for file in parquet_files(asked, views=views, tables=tables, most=1)]
    return files[0]


async def parquet_files(
    asked: Asked,
    *,
    views: ExportViews,
    tables: TableEncoder,
    progress: Callable[[int], object] = lambda rows: None,
    most: int | None = None,
) -> AsyncIterator[bytes]:
    """Files of at most `PARQUET_ROWS_MAX` rows, at least one. Raises DocumentTooLong when they
    would be more than `most`."""
    table: dict[str, CellKind] = TABLES[asked.kind]
    held: list[Sequence[Cell]] = []
    made = 0
    async for batch in _told(asked, views=views, progress=progress):
        held.extend(batch)
        if len(held) > PARQUET_ROWS_MAX:
            made += 1
            if most is not None and made >= most:
                raise DocumentTooLong(PARQUET_ROWS_MAX)
            yield await tables.parquet(table, held[:PARQUET_ROWS_MAX])
            del held[:PARQUET_ROWS_MAX]
    yield await tables.parquet(table, held)


async def _told(
    asked: Asked, *, views: ExportViews, progress: Callable[[int], object]
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    rows = 0
    async for batch in views.rows(asked.kind, asked.span):
        rows += len(batch)
        progress(rows)
        yield batch
