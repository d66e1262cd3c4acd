"""`likeness demo`: play a story, show what it came to, prove that the books are sound."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from application.ledger.verification import LedgerReport, verify_ledger
from entrypoints.bootstrap import open_ports
from entrypoints.cli.demo import report, studio_report
from entrypoints.cli.demo.client import PASSWORD, Refused, StoryStopped
from entrypoints.cli.demo.story import Story
from entrypoints.cli.demo.studio_story import StudioStory
from entrypoints.cli.users import create_admin
from entrypoints.settings import Settings

T = TypeVar("T")


def play(settings: Settings, *, as_json: bool) -> int:
    """The exit code: 0 when everything went as told and the ledger balances."""
    console = _console(as_json)
    story = Story(settings.base_url, tell=_tell(console))
    try:
        outcome = _played(console, story.play)
    finally:
        story.close()
    if outcome is None:
        return 1
    books = asyncio.run(_verify(settings))
    if as_json:
        _write(report.as_document(outcome, _totals(books), sound=books.sound))
    else:
        report.show(console, outcome, _totals(books))
        console.print(
            "`make run` keeps such a stack running; its API is documented at /api/v1/docs."
        )
    return 0 if books.sound and sum(_totals(books).values()) == 0 else 1


def play_studio(settings: Settings, *, as_json: bool) -> int:
    """The exit code: 0 when everything went as told, and is as it should be."""
    console = _console(as_json)
    bar = Progress(
        TextColumn("    {task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[step]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    shown = bar.add_task("", total=100, visible=False, step="")

    def show(what: str, percent: int, step: str) -> None:
        bar.update(shown, description=what, completed=percent, step=step, visible=percent < 100)

    story = StudioStory(
        settings.base_url,
        settings.sandbox_url,
        tell=_tell(console),
        show=show,
        make_admin=lambda email: asyncio.run(_make_admin(email, settings)),
    )
    try:
        with bar:
            outcome = _played(console, story.play)
    finally:
        story.close()
    if outcome is None:
        return 1
    if as_json:
        _write(studio_report.as_document(outcome))
    else:
        studio_report.show(console, outcome)
    return 0


def _console(as_json: bool) -> Console:
    return Console(highlight=False, stderr=as_json)


def _tell(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(f"  [green]✓[/green] {line}")


def _played(console: Console, story: Callable[[], T]) -> T | None:
    """What it came to; None, when it stopped and that was told."""
    try:
        return story()
    except Refused as refused:
        console.print(f"[red]The story stopped: {refused.error.get('message')}[/red] ({refused})")
    except StoryStopped as stopped:
        console.print(f"[red]The story stopped: {stopped}.[/red]")
    return None


def _write(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _totals(books: LedgerReport) -> dict[str, int]:
    return {row.account: row.total_cents for row in books.trial_balance if row.total_cents}


async def _verify(settings: Settings) -> LedgerReport:
    ports = await open_ports(settings)
    try:
        return await verify_ledger(ports.ledger_views)
    finally:
        await ports.aclose()


async def _make_admin(email: str, settings: Settings) -> None:
    ports = await open_ports(settings)
    try:
        await create_admin(email, display_name="Admin", password=PASSWORD, ports=ports)
    finally:
        await ports.aclose()
