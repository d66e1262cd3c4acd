"""`likeness demo`: play the story, show what it came to, prove that the books are sound."""

import asyncio
import json
import sys

from rich.console import Console

from application.ledger.verification import LedgerReport, verify_ledger
from entrypoints.bootstrap import open_ports
from entrypoints.cli.demo.client import Refused, StoryStopped
from entrypoints.cli.demo.report import as_document, show
from entrypoints.cli.demo.story import Story
from entrypoints.settings import Settings


def play(settings: Settings, *, as_json: bool) -> int:
    """The exit code: 0 when everything went as told and the ledger balances."""
    console = Console(highlight=False, stderr=as_json)
    story = Story(settings.base_url, tell=lambda line: console.print(f"  [green]✓[/green] {line}"))
    try:
        outcome = story.play()
    except Refused as refused:
        console.print(f"[red]The story stopped: {refused.error.get('message')}[/red] ({refused})")
        return 1
    except StoryStopped as stopped:
        console.print(f"[red]The story stopped: {stopped}.[/red]")
        return 1
    finally:
        story.close()
    report = asyncio.run(_verify(settings))
    if as_json:
        document = as_document(outcome, _totals(report), sound=report.sound)
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        show(console, outcome, _totals(report))
        console.print(
            "`make run` keeps such a stack running; its API is documented at /api/v1/docs."
        )
    return 0 if report.sound and sum(_totals(report).values()) == 0 else 1


def _totals(report: LedgerReport) -> dict[str, int]:
    return {row.account: row.total_cents for row in report.trial_balance if row.total_cents}


async def _verify(settings: Settings) -> LedgerReport:
    ports = await open_ports(settings)
    try:
        return await verify_ledger(ports.ledger_views)
    finally:
        await ports.aclose()
