"""`python -m tests.faults`: storms over a whole stack, and a kill at every step of a worker.

`--orders` says how many orders live through the first storm, `--studio` how many jobs of the studio
through the second; whoever names one of them leaves the other out. `--seed` says which storm it is,
`--skip-steps` leaves the kills at every step out. The last line says passed or failed, with the
counts.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.storm import LOST_ANSWERS, Trade, orders
from tests.faults.studio_storm import MISFORTUNES, Work
from tests.faults.weather import Weather
from tests.infrastructure import ROOT
from tests.journeys.stack import Stack, running_stack

ORDERS, JOBS = 1000, 120


@dataclass
class Report:
    """What was done to the stack, what was compared, and what differed."""

    faults: list[str] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--orders", type=int)
    parser.add_argument("--studio", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-steps", action="store_true")
    options = parser.parse_args()
    console, began, report = Console(highlight=False), time.monotonic(), Report()
    both = options.orders is None and options.studio is None
    if both or options.orders:
        storm_of_orders(options.orders or ORDERS, options.seed, console, report)
    if both or options.studio:
        storm_of_the_studio(options.studio or JOBS, options.seed, console, report)
    if not options.skip_steps:
        console.print("kill -9 before every commit, claim, send and call of a worker's life …")
        suites = ["test_crashes.py"] if both or options.orders else []
        if both or options.studio:
            suites += ["test_studio_crashes.py", "every_studio_crash.py", "test_studio_answers.py"]
        if not _every_step(suites):
            report.faults.append("a worker that was killed at one of its steps left other books")
    console.print(_table(report))
    for fault in report.faults:
        console.print(f"[red]{fault}[/]")
    counts = ", ".join(f"{count:,} {what}" for what, count in report.survived.items())
    outcome = "failed" if report.faults else "passed"
    console.print(
        f"faults: {outcome} — {report.injected.total():,} injected, {counts}, "
        f"{len(report.faults)} differences, {time.monotonic() - began:.0f} s",
        soft_wrap=True,
    )
    return 1 if report.faults else 0


def storm_of_orders(count: int, seed: int, console: Console, report: Report) -> None:
    with _stack(report, MISSED_EVENTS_EVERY_S="2", RELEASE_EVERY_S="1") as stack:
        console.print("a market opens …")
        stack.market  # noqa: B018 - opened by being asked for
        chance = random.Random(seed)
        trade = Trade(stack, orders(count, chance=chance), say=lambda t: console.print(f"  {t}"))
        weather = Weather(stack, seed=seed, misfortunes=LOST_ANSWERS)
        with weather.raging():
            trade.live()
        console.print("the storm is over; what is under way comes to its end …")
        trade.settle_down()
        report.survived.update(trade.compare())
        report.faults += trade.faults
        _count(weather, report)


def storm_of_the_studio(count: int, seed: int, console: Console, report: Report) -> None:
    with _stack(report, MESSAGE_ATTEMPTS="40") as stack:
        console.print("a studio opens …")
        work = Work(stack, count, seed, say=lambda told: console.print(f"  {told}"))
        work.open()
        weather = Weather(stack, seed=seed, misfortunes=MISFORTUNES)
        with weather.raging():
            work.live()
        console.print("the storm is over; what is under way comes to its end …")
        work.settle_down()
        report.survived.update(work.compare())
        report.faults += work.faults
        _count(weather, report)


@contextmanager
def _stack(report: Report, **environ: str) -> Iterator[Stack]:
    with (
        tempfile.TemporaryDirectory(prefix="likeness-storm-") as folder,
        running_stack(Path(folder) / "data", **environ) as stack,
    ):
        yield stack
        deliveries = stack.sandbox.state()["deliveries"]["counts"]
        report.injected["webhooks dropped"] += deliveries.get("dropped", 0)


def _count(weather: Weather, report: Report) -> None:
    report.injected.update(dict(sorted(weather.did.items())))
    report.faults += [f"the storm spared a process: {name}" for name in weather.spared]


def _every_step(suites: list[str]) -> bool:
    folder = ROOT / "tests" / "faults"
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2"]
    done = subprocess.run(
        [*pytest, *(str(folder / suite) for suite in suites)], cwd=ROOT, check=False
    )
    return done.returncode == 0


def _table(report: Report) -> Table:
    table = Table("injected", "times", "compared with the providers and the books", "count")
    left, right = list(report.injected.items()), list(report.survived.items())
    for row in range(max(len(left), len(right))):
        what, times = left[row] if row < len(left) else ("", "")
        compared, count = right[row] if row < len(right) else ("", "")
        table.add_row(what, str(times), compared, str(count))
    return table


if __name__ == "__main__":
    sys.exit(main())
