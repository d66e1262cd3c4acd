"""`python -m tests.benchmarks`: measure, show a table, write `bench.json`.

`--only` names benchmarks (settlement, webhooks, …); `--strict` ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.benchmarks import (
    arithmetic,
    books,
    images,
    live,
    payouts,
    requests,
    settlement,
    starting,
    studio,
    uploads,
    webhooks,
)
from tests.benchmarks.figures import Benchmark, Figure
from tests.benchmarks.ground import ROOT, ground

BENCHMARKS: Mapping[str, Benchmark] = {
    "split": arithmetic.splitting,
    "refund": arithmetic.refunding,
    "licence": arithmetic.licensing,
    "moderation": arithmetic.moderating,
    "thumbnail": images.thumbnail,
    "sign": images.sign,
    "import": starting.importing,
    "memory": starting.memory,
    "stack": starting.stack,
    "webhook_to_settled": webhooks.webhook_to_settled,
    "studio_3d": studio.relief,
    "upload_2gb": uploads.two_gigabytes,
    "live": live.live,
    # What follows leaves thousands of messages that a worker above would be busy with.
    "assets": uploads.listing,
    "read": requests.reading,
    "generation": requests.generating,
    "webhook_ingestion": webhooks.webhook_ingestion,
    "settlement": settlement.settlement,
    "books": books.books,
    "payday": payouts.payday,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(BENCHMARKS), metavar="NAME")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json", type=Path, default=ROOT / "bench.json", metavar="FILE")
    parser.add_argument(
        "--entries", type=int, help="of the ledger that is proved (ten million)", metavar="N"
    )
    parser.add_argument("--watchers", type=int, help="of live events (5,000)", metavar="N")
    options = parser.parse_args()
    if options.entries:
        os.environ[books.ENTRIES_OPTION] = str(options.entries)
    if options.watchers:
        os.environ[live.WATCHERS_OPTION] = str(options.watchers)
    console = Console(highlight=False)
    began = time.perf_counter()
    figures = _measure(options.only or list(BENCHMARKS), console)
    document = {figure.name: figure.as_document() for figure in figures}
    options.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    console.print(_table(figures))
    missed = [figure.name for figure in figures if figure.ok is False]
    console.print(
        f"{len(figures)} figures in {time.perf_counter() - began:.0f} s, written to {options.json}"
        + (f"; short of the goal: {', '.join(missed)}" if missed else "")
    )
    return 1 if missed and options.strict else 0


def _measure(names: Sequence[str], console: Console) -> list[Figure]:
    figures: list[Figure] = []
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed}/{task.total} {task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("starting PostgreSQL and Redis", total=len(names))
        with ground() as servers:
            for name in names:
                progress.update(task, description=name)
                found = asyncio.run(BENCHMARKS[name](servers))
                figures += found
                for figure in found:
                    progress.console.print(f"  {_mark(figure)} {figure.name}: {_value(figure)}")
                progress.advance(task)
    return figures


def _table(figures: Sequence[Figure]) -> Table:
    table = Table()
    for title, justify in (
        ("figure", "left"),
        ("value", "right"),
        ("ratio", "right"),
        ("goal", "right"),
        ("", "left"),
        ("against", "left"),
    ):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for figure in figures:
        table.add_row(
            figure.name,
            _value(figure),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            str(figure.goal or ""),
            _mark(figure),
            figure.baseline,
        )
    return table


def _value(figure: Figure) -> str:
    digits = 0 if figure.value >= 1000 else 1 if figure.value >= 10 else 2
    return f"{figure.value:,.{digits}f} {figure.unit}"


def _mark(figure: Figure) -> str:
    return {None: " ", True: "[green]✓[/green]", False: "[red]✗[/red]"}[figure.ok]


if __name__ == "__main__":
    sys.exit(main())
