"""`likeness export …`: the books as files for accounting."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console

from application.ports.clock import Clock
from application.ports.documents import TableEncoder
from application.ports.exports import ExportKind, ExportViews
from application.reporting.exports import (
    Asked,
    ExportQuery,
    asked_of,
    export_csv,
    parquet_files,
)
from entrypoints.cli.reach import with_ports

_DAY = click.DateTime(formats=["%Y-%m-%d"])


class ExportPorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def clock(self) -> Clock: ...
    @property
    def export_views(self) -> ExportViews: ...
    @property
    def tables(self) -> TableEncoder: ...


@click.command()
@click.argument("kind", type=click.Choice([str(kind) for kind in ExportKind]))
@click.option("--from", "since", type=_DAY, help="First day (UTC).")
@click.option("--to", "until", type=_DAY, help="The first day that is not included (UTC).")
@click.option("--format", "ending", type=click.Choice(["csv", "parquet"]), default="csv")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to write to.",
)
def export(
    kind: str, since: datetime | None, until: datetime | None, ending: str, into: Path
) -> None:
    """Write the books of some days as CSV, or as Parquet in files of 100,000 rows.

    Works in bounded memory, however long the books are, and while the shop is open.
    """
    query = ExportQuery(kind=ExportKind(kind), since=_day(since), until=_day(until))
    into.mkdir(parents=True, exist_ok=True)
    for path in with_ports(lambda ports: write(query, ending, into, ports=ports)):
        click.echo(str(path))


async def write(query: ExportQuery, ending: str, into: Path, *, ports: ExportPorts) -> list[Path]:
    """The files that were written. A file appears under its name when it is whole."""
    asked = asked_of(query, clock=ports.clock)
    with Console(stderr=True).status("reading the books") as status:

        def tell(rows: int) -> None:
            status.update(f"{rows:,} rows")

        if ending == "csv":
            content = export_csv(asked, views=ports.export_views, progress=tell)
            return [await _csv(content, into / asked.file_name("csv"))]
        files = parquet_files(asked, views=ports.export_views, tables=ports.tables, progress=tell)
        return await _parquet(files, asked, into)


async def _csv(content: AsyncIterator[bytes], path: Path) -> Path:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        async for chunk in content:
            file.write(chunk)
    return part.replace(path)


async def _parquet(files: AsyncIterator[bytes], asked: Asked, into: Path) -> list[Path]:
    written: list[Path] = []
    async for content in files:
        path = into / asked.file_name(f"{len(written) + 1:04d}.parquet")
        part = path.with_suffix(".part")
        part.write_bytes(content)
        written.append(part.replace(path))
    return written


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
