"""`likeness export …`: the books and the data of tax forms as files on this machine."""

from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

import click
from rich.console import Console

from application.ports.clock import Clock
from application.reporting.exports import Asked, Books, ExportQuery, asked_of, files_of
from domain.reporting.export import ExportFormat, ExportKind
from entrypoints.cli.reach import with_ports

_DAY = click.DateTime(formats=["%Y-%m-%d"])


class ExportPorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def clock(self) -> Clock: ...
    @property
    def export_books(self) -> Books: ...


@click.command()
@click.argument("kind", type=click.Choice([str(kind) for kind in ExportKind]))
@click.option("--from", "since", type=_DAY, help="First day (UTC).")
@click.option("--to", "until", type=_DAY, help="The first day that is not included (UTC).")
@click.option("--year", type=click.IntRange(2020, 2100), help="Of tax forms, instead of days.")
@click.option("--payee", type=click.UUID, help="Only what is about this creator or store.")
@click.option("--format", "ending", type=click.Choice(["csv", "parquet"]), default="csv")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to write to.",
)
def export(
    kind: str,
    since: datetime | None,
    until: datetime | None,
    year: int | None,
    payee: UUID | None,
    ending: str,
    into: Path,
) -> None:
    """Write the books of some days, or a year's tax forms, in files of at most 100,000 rows.

    Works in bounded memory, however long the books are, and while the shop is open.
    """
    query = ExportQuery(
        kind=ExportKind(kind),
        format=ExportFormat(ending),
        since=_day(since),
        until=_day(until),
        year=year,
        payee_id=payee,
    )
    into.mkdir(parents=True, exist_ok=True)
    for path in with_ports(lambda ports: write(query, into, ports=ports)):
        click.echo(str(path))


async def write(query: ExportQuery, into: Path, *, ports: ExportPorts) -> list[Path]:
    """The files that were written. A file appears under its name when it is whole."""
    asked = asked_of(query, now=ports.clock.now())
    await _recorded(asked, ports=ports)
    written: list[Path] = []
    with Console(stderr=True).status("reading the books") as status:

        def tell(rows: int) -> None:
            status.update(f"{rows:,} rows")

        async for made in files_of(asked, books=ports.export_books, progress=tell):
            path = into / made.name
            part = path.with_suffix(".part")
            part.write_bytes(made.content)
            written.append(part.replace(path))
    return written


async def _recorded(asked: Asked, *, ports: ExportPorts) -> None:
    """Who can run commands can read everything; that they did so is in the audit log."""
    async with (uow := ports.export_books.new_uow()):
        uow.audit.record("export.written", actor="the command line", on=("export", asked.name))
        await uow.commit()


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
