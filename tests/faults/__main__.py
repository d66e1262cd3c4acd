"""`python -m tests.faults`: a storm over a whole stack, and a kill at every step of a worker.

`--orders` says how many orders live through the storm, `--seed` which storm it is, `--skip-steps`
leaves the kills at every step out. The last line says passed or failed, with the counts.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.storm import Trade, Weather, orders
from tests.infrastructure import ROOT
from tests.journeys.stack import running_stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-steps", action="store_true")
    options = parser.parse_args()
    console, began = Console(highlight=False), time.monotonic()
    faults, injected, survived = _storm(options.orders, options.seed, console)
    if not options.skip_steps:
        console.print("kill -9 before every commit, claim, send and call of a worker's life …")
        if not _every_step():
            faults.append("a worker that was killed at one of its steps left other books")
    console.print(_table(injected, survived))
    for fault in faults:
        console.print(f"[red]{fault}[/]")
    counts = ", ".join(f"{count:,} {what}" for what, count in survived.items())
    outcome = "failed" if faults else "passed"
    console.print(
        f"faults: {outcome} — {sum(injected.values()):,} injected, {counts}, "
        f"{len(faults)} differences, {time.monotonic() - began:.0f} s",
        soft_wrap=True,
    )
    return 1 if faults else 0


def _storm(
    count: int, seed: int, console: Console
) -> tuple[list[str], Mapping[str, int], Mapping[str, int]]:
    with (
        tempfile.TemporaryDirectory(prefix="likeness-storm-") as folder,
        running_stack(
            Path(folder) / "data", MISSED_EVENTS_EVERY_S="2", RELEASE_EVERY_S="1"
        ) as stack,
    ):
        console.print("a market opens …")
        stack.market  # noqa: B018 - opened by being asked for
        chance = random.Random(seed)
        trade = Trade(stack, orders(count, chance=chance), say=lambda t: console.print(f"  {t}"))
        weather = Weather(stack, seed=seed)
        with weather.raging():
            trade.live()
        console.print("the storm is over; what is under way comes to its end …")
        trade.settle_down()
        survived = trade.compare()
        deliveries = stack.sandbox.state()["deliveries"]["counts"]
        injected = dict(sorted(weather.did.items()))
        trade.faults += [f"the storm spared a process: {name}" for name in weather.spared]
        injected["webhooks dropped"] = deliveries.get("dropped", 0)
        return trade.faults, injected, survived


def _every_step() -> bool:
    suite = ROOT / "tests" / "faults" / "test_crashes.py"
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", str(suite)]
    done = subprocess.run(pytest, cwd=ROOT, check=False)
    return done.returncode == 0


def _table(injected: Mapping[str, int], survived: Mapping[str, int]) -> Table:
    table = Table("injected", "times", "compared with the provider and the books", "count")
    left, right = list(injected.items()), list(survived.items())
    for row in range(max(len(left), len(right))):
        what, times = left[row] if row < len(left) else ("", "")
        compared, count = right[row] if row < len(right) else ("", "")
        table.add_row(what, str(times), compared, str(count))
    return table


if __name__ == "__main__":
    sys.exit(main())
