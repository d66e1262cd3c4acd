"""`likeness decisions replay`: take every kept decision again."""

import sys
from typing import Protocol

import click
import msgspec
from rich.console import Console

from application.licensing.replay import ReplayReport, replay_decisions
from application.ports.decisions import DecisionViews
from entrypoints.cli.reach import with_ports


class ReplayPorts(Protocol):
    """What this command needs of the record of ports."""

    @property
    def decision_views(self) -> DecisionViews: ...


@click.group()
def decisions() -> None:
    """Replay what licences decided."""


@decisions.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def replay(as_json: bool) -> None:
    """Decide every kept use again; exit with 1 when an answer is not what it was.

    Safe while the shop is open, and of little memory however many there are.
    """
    report = with_ports(_replay)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        show(report, Console())
    sys.exit(0 if report.same else 1)


async def _replay(ports: ReplayPorts) -> ReplayReport:
    with Console(stderr=True).status("reading the decisions") as status:
        return await replay_decisions(
            ports.decision_views,
            progress=lambda done: status.update(f"{done:,} decisions taken again"),
        )


def show(report: ReplayReport, console: Console) -> None:
    if report.same:
        console.print(f"[green]Same:[/green] {report.replayed:,} decisions, each as it was taken.")
        return
    console.print(
        f"[red]{report.difference_count:,} differences[/red] in {report.replayed:,} decisions:"
    )
    for each in report.differences:
        console.print(f"  {each.fault}: {each.point} {each.decision_id}", markup=False)
    if report.difference_count > len(report.differences):
        console.print(f"  and {report.difference_count - len(report.differences):,} more")
