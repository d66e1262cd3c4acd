"""`likeness ledger`: prove that every cent is where the postings say; close and seal days."""

import sys
from typing import Protocol

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.ledger import closing
from application.ledger.closing import ClosedBooks, close_books
from application.ledger.invariants import check_invariants, keep_proof
from application.ledger.verification import LedgerReport, verify_ledger
from application.ports.clock import Clock
from application.ports.invariants import CheckResult, InvariantChecks
from application.ports.ledger_upkeep import LedgerUpkeep
from application.ports.ledger_views import LedgerViews
from domain.shared.money import format_money
from entrypoints.cli.reach import with_ports


class InvariantPorts(Protocol):
    """What `invariants` needs of the record of ports."""

    @property
    def ledger_views(self) -> LedgerViews: ...
    @property
    def invariant_checks(self) -> InvariantChecks: ...
    @property
    def clock(self) -> Clock: ...


class ProofPorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def ledger_views(self) -> LedgerViews: ...


class ClosingPorts(ProofPorts, Protocol):
    @property
    def ledger_upkeep(self) -> LedgerUpkeep: ...
    @property
    def clock(self) -> Clock: ...


@click.group()
def ledger() -> None:
    """Verify and seal the books."""


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


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def seal(as_json: bool) -> None:
    """Close the days that are over and seal them; shows the last seal's hash.

    The scheduler does this every hour. Keep the hash elsewhere: it vouches for all sealed days.
    """
    closed = with_ports(_seal)
    if as_json:
        click.echo(msgspec.json.encode(closed))
        return
    console = Console()
    console.print(f"Closed through {closed.closed_through}; {len(closed.sealed_days)} days sealed.")
    if closed.last_hash:
        console.print(f"Seal {closed.last_number}, of {closed.last_day}: {closed.last_hash}")


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def rebuild_checkpoints(as_json: bool) -> None:
    """Compute the sums that are kept for each sealed day again, from the postings."""
    days = with_ports(_rebuild)
    click.echo(msgspec.json.encode({"days": days}) if as_json else f"{days} days.")


async def _seal(ports: ClosingPorts) -> ClosedBooks:
    return await close_books(
        upkeep=ports.ledger_upkeep, views=ports.ledger_views, clock=ports.clock
    )


async def _rebuild(ports: ClosingPorts) -> int:
    return await closing.rebuild_checkpoints(upkeep=ports.ledger_upkeep, views=ports.ledger_views)


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def invariants(as_json: bool) -> None:
    """Check all that must hold, of money and of messages; exit with 1 when anything does not.

    All books are proved for it: what a nightly proof found is cleared by this, once it is mended.
    """
    results = with_ports(examined)
    if as_json:
        click.echo(msgspec.json.encode(results))
    else:
        for result in results:
            mark, colour = ("✓", "green") if result.holds else ("✗", "red")
            click.echo(f"{click.style(mark, fg=colour)} {result.name:<24} {result.count or ''}")
            for violation in result.violations:
                click.echo(f"    {violation.subject}: {violation.detail or ''}")
    sys.exit(0 if all(result.holds for result in results) else 1)


async def examined(ports: InvariantPorts) -> list[CheckResult]:
    """Check everything now, and prove all books; the results are kept, as the scheduler's are."""
    report = await verify_ledger(ports.ledger_views)
    results = await check_invariants(report, checks=ports.invariant_checks, clock=ports.clock)
    proof = await keep_proof(report, checks=ports.invariant_checks, clock=ports.clock)
    return [*results, proof]


async def _verify(ports: ProofPorts) -> LedgerReport:
    with Console(stderr=True).status("reading the ledger") as status:
        return await verify_ledger(
            ports.ledger_views,
            progress=lambda stage, done: status.update(f"{done:,} {stage} proved"),
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
        if report.last_seal:
            console.print(
                f"{report.sealed_days:,} sealed days, the last seal is {report.last_seal}"
            )
        return
    console.print(f"[red]{report.breach_count:,} breaches[/red] in {read}:")
    for breach in report.breaches:
        console.print(f"  {breach.rule}: {breach.subject}: {breach.message}", markup=False)
    if report.breach_count > len(report.breaches):
        console.print(f"  and {report.breach_count - len(report.breaches):,} more")
