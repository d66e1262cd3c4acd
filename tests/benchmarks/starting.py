"""What it takes to start: imports, memory, and the whole stack on one machine."""

import asyncio
import os
import re
import subprocess
import sys
import time
import urllib.request

import psutil

from tests.benchmarks.figures import Figure, below, middle
from tests.benchmarks.ground import FOLDER, ROOT, Ground, without_compiling

ROUNDS = 3
_IMPORT = "import entrypoints.http.factory"
_READY = "Likeness answers at"


async def importing(_: Ground) -> list[Figure]:
    """A fresh interpreter that imports all of the API, bytecode cached; the median of three.

    `api_import_cpu_s` is the processor's time: on a busy machine the other one measures the others.
    """
    walls, cpus = [], []
    environ = without_compiling()
    for _round in range(ROUNDS + 1):
        began, before = time.perf_counter(), os.times()
        await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", _IMPORT], cwd=ROOT, env=environ, check=True
        )
        after = os.times()
        walls.append(time.perf_counter() - began)
        cpus.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return [
        Figure(name="api_import_s", value=middle(walls[1:]), unit="s", goal=below(1.5)),
        Figure(name="api_import_cpu_s", value=middle(cpus[1:]), unit="s"),
    ]


async def memory(ground: Ground) -> list[Figure]:
    """Resident memory of the process that serves the API, after a few hundred requests."""
    with ground.api() as port:
        for _ in range(300):
            url = f"http://127.0.0.1:{port}/health/ready"
            await asyncio.to_thread(urllib.request.urlopen, url)
        serving = max(
            (
                child.memory_info().rss
                for process in psutil.Process().children()
                for child in process.children(recursive=True)
            ),
            default=0,
        )
    return [Figure(name="api_resident_mb", value=serving / 1024**2, unit="MB", goal=below(200))]


async def stack(ground: Ground) -> list[Figure]:
    """`likeness up` until everything is ready: servers, migrations, sandbox, API, worker, relay,
    scheduler. Warm: on data that an earlier start has made."""
    times = [await asyncio.to_thread(_start_stack) for _ in range(ROUNDS)]
    return [Figure(name="start_of_stack_s", value=middle(times[1:]), unit="s", goal=below(5))]


def _start_stack() -> float:
    clean = {n: v for n, v in without_compiling().items() if not n.startswith("LIKENESS_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "entrypoints.cli.main", "up"],
        cwd=ROOT,
        env={**clean, "LIKENESS_DATA_DIR": str(FOLDER / "stack"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if re.search(_READY, line):
                return time.perf_counter() - began
        raise RuntimeError("the stack never came up")
    finally:
        process.terminate()
        process.communicate(timeout=60)
