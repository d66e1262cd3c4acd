"""The day's payouts of a hundred thousand payees: how long, and in how little memory."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE

from sqlalchemy.ext.asyncio import create_async_engine

from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.ground import Ground
from tests.faults.payday import furnish

PAYEES = 100_000
DAY = "2026-03-02"
MEMORY_MB = 300


async def payday(ground: Ground) -> list[Figure]:
    """Payees with a balance, an account and the schedule `daily`; the run is a process of its own,
    from its start to the day's end, with a payout, a posting and an outbox message for each."""
    engine = create_async_engine(ground.settings.database_url)
    await furnish(engine, payees=PAYEES)
    await engine.dispose()
    began = time.perf_counter()
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.payday", ground.settings.database_url, DAY),
        stdout=PIPE,
    )
    told, _ = await running.communicate()
    took_s = time.perf_counter() - began
    report = json.loads(told.splitlines()[-1])
    if report["payouts"] != PAYEES:
        raise RuntimeError(f"{report['payouts']} payouts were made, not {PAYEES}")
    return [
        Figure(name="payday_memory", value=report["peak_mb"], unit="MB", goal=at_most(MEMORY_MB)),
        Figure(name="payday_rate", value=PAYEES / took_s, unit="payouts/s"),
    ]
