"""`likeness keys`: bring encrypted columns under the newest key of LIKENESS_SECRET_KEY."""

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.identity.key_rotation import Rotated, count_keys, rotate_keys
from application.ports.column_keys import ColumnKeys, KeyCount
from application.ports.unit_of_work import UnitOfWork
from entrypoints.cli.reach import with_ports


class KeyPorts(Protocol):
    """What these commands need of the record of ports."""

    @property
    def uow(self) -> Callable[[], UnitOfWork]: ...
    @property
    def column_keys(self) -> ColumnKeys: ...


@click.group()
def keys() -> None:
    """Rotate the key that encrypts personal data. docs/operating.md has the whole procedure."""


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def rotate(as_json: bool) -> None:
    """Write all that is under older keys under the newest; exit with 1 while any is left.

    Safe while the shop is open. It may be stopped and repeated: what is done stays done.
    """
    done = with_ports(rotated)
    if as_json:
        click.echo(msgspec.json.encode(done))
    else:
        show(done.left, Console())
        click.echo(f"{done.rewritten:,} rows rewritten. {_verdict(done.old, done.lost)}")
    sys.exit(1 if done.old or done.lost else 0)


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def status(as_json: bool) -> None:
    """Count the rows under older keys; exit with 1 while any is left."""
    counts = with_ports(lambda ports: count_keys(ports.column_keys))
    old, lost = (sum(getattr(count, name) for count in counts) for name in ("old", "lost"))
    if as_json:
        click.echo(msgspec.json.encode(counts))
    else:
        show(counts, Console())
        click.echo(_verdict(old, lost))
    sys.exit(1 if old or lost else 0)


async def rotated(ports: KeyPorts) -> Rotated:
    with Console(stderr=True).status("counting") as line:
        return await rotate_keys(
            keys=ports.column_keys,
            uow=ports.uow(),
            actor="the command line",
            progress=lambda done, of: line.update(
                f"{done:,} of {of:,} rows rewritten, {max(of - done, 0):,} under older keys"
            ),
        )


def show(counts: Sequence[KeyCount], console: Console) -> None:
    table = Table("table")
    for title in ("rows", "under older keys", "under none"):
        table.add_column(title, justify="right")
    for count in counts:
        table.add_row(count.table, f"{count.rows:,}", f"{count.old:,}", f"{count.lost:,}")
    console.print(table)


def _verdict(old: int, lost: int) -> str:
    if lost:
        return f"{lost:,} rows need a key that is not in LIKENESS_SECRET_KEY: put it back last."
    if old:
        return f"{old:,} rows are under older keys: run `likeness keys rotate`."
    return "The newest key decrypts everything: no row needs an older one."
