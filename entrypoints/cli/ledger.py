"""`likeness ledger verify`: prove that every cent is where the postings say."""

import sys
from typing import Protocol

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.ledger.verification import LedgerReport, verify_ledger
from application.ports.ledger_views import LedgerViews
from domain.shared.money import format_money
from entrypoints.cli.reach import with_ports


class ProofPorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def ledger_views(self) -> LedgerViews: ...


@click.group()
def ledger() -> None:
    """Verify the books."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(as_json: bool) -> None:
    """Read the whole ledger in one snapshot; exit with 1 when anything is wrong with it.

    Safe while the shop is open, and of little memory however long the books are.
    """
    report = with_ports(_verify)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        show(report, Console())
    sys.exit(0 if report.sound else 1)


async def _verify(ports: ProofPorts) -> LedgerReport:
    with Console(stderr=True).status("reading the ledger") as status:
        return await verify_ledger(
            ports.ledger_views,
            progress=lambda done: status.update(f"{done:,} transactions proved"),
        )


def show(report: LedgerReport, console: Console) -> None:
    """The trial balance, then the verdict, then what is wrong."""
    table = Table("account", "currency", title="Trial balance", title_justify="left")
    table.add_column("entries", justify="right")
    table.add_column("credit (debit below zero)", justify="right")
    for row in report.trial_balance:
        table.add_row(
            row.account,
            row.currency,
            f"{row.entries:,}",
            format_money(row.total_cents, row.currency),
        )
    console.print(table)
    read = f"{report.transactions:,} transactions, {report.entries:,} entries"
    if report.sound:
        console.print(f"[green]Sound:[/green] {read}, every one as it was posted.")
        return
    console.print(f"[red]{report.breach_count:,} breaches[/red] in {read}:")
    for breach in report.breaches:
        console.print(f"  {breach.rule}: {breach.subject}: {breach.message}", markup=False)
    if report.breach_count > len(report.breaches):
        console.print(f"  and {report.breach_count - len(report.breaches):,} more")
