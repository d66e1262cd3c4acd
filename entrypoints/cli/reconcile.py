"""`likeness reconcile`: hold what the payment provider moved against the books."""

import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.ledger.reconciliation import begin_reconciliation
from application.ledger.reconciling import reconcile_day
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payouts import PayoutBalance
from application.ports.provider_books import ProviderBooks
from application.ports.reconciliation import (
    Comparison,
    DifferenceRecord,
    ReconciliationViews,
    RunRecord,
)
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.reconciliation import DifferenceState, ReconciliationRun
from domain.shared.money import format_money
from entrypoints.cli.reach import with_ports

_PAGE = 500


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """`differences` are those that these days saw first and that nobody has explained."""

    clean: bool
    runs: list[RunRecord]
    differences: list[DifferenceRecord]


class ReconcilePorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def uow(self) -> Callable[[], UnitOfWork]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def provider_books(self) -> ProviderBooks: ...
    @property
    def comparison(self) -> Comparison: ...
    @property
    def payout_balance(self) -> PayoutBalance | None: ...
    @property
    def reconciliation_views(self) -> ReconciliationViews: ...


@click.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def reconcile(first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """Compare days, yesterday if none is named; exit with 1 when anything differs.

    Repeating it is safe, and so is stopping it: it goes on where it was.
    """
    found = with_ports(lambda ports: reconciled(_day(first), _day(last), ports=ports))
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        _show(found, Console())
    sys.exit(0 if found.clean else 1)


async def reconciled(first: date | None, last: date | None, *, ports: ReconcilePorts) -> Reconciled:
    """Raises DayInvalid."""
    last = last or first or ports.clock.now().date() - timedelta(days=1)
    first = first or last
    runs, differences = [], []
    with Console(stderr=True).status("comparing") as status:

        def tell(run: ReconciliationRun) -> None:
            counts = f"{run.their_count:,} of theirs, {run.our_count:,} of ours"
            status.update(f"{run.day}: {run.phase}: {counts}")

        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            run = await begin_reconciliation(
                day,
                actor="the command line",
                uow=ports.uow(),
                clock=ports.clock,
                ids=ports.ids,
            )
            await reconcile_day(
                day,
                new_uow=ports.uow,
                books=ports.provider_books,
                comparison=ports.comparison,
                payout_balance=ports.payout_balance,
                clock=ports.clock,
                ids=ports.ids,
                progress=tell,
            )
            runs.append(await ports.reconciliation_views.run(run.id))
            differences.extend(await _open_of(run.id, ports.reconciliation_views))
    return Reconciled(clean=not differences, runs=runs, differences=differences)


async def _open_of(run_id: UUID, views: ReconciliationViews) -> list[DifferenceRecord]:
    found: list[DifferenceRecord] = []
    while True:
        page = await views.differences(
            run_id,
            state=DifferenceState.OPEN,
            after=found[-1].id if found else None,
            limit=_PAGE,
        )
        found.extend(page)
        if len(page) < _PAGE:
            return found


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _show(found: Reconciled, console: Console) -> None:
    for run in found.runs:
        console.print(
            f"{run.day}: {run.their_count:,} movements of theirs, {run.our_count:,} of ours, "
            f"{run.pending:,} too young to compare"
        )
    if found.clean:
        console.print("[green]Both sides agree.[/green]")
        return
    table = Table("kind", "what")
    table.add_column("difference", justify="right")
    for one in found.differences:
        table.add_row(one.kind, one.sentence, format_money(one.difference_cents, one.currency))
    console.print(table)
    console.print(
        "Look into each, then explain it: POST /api/v1/admin/ledger/differences/{id}/explain"
    )
