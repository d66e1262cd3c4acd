"""A loop that no longer turns is noticed from outside of it."""

import asyncio
import threading
import time

from entrypoints.worker.watchdog import Watchdog


async def test_a_turning_loop_is_left_alone() -> None:
    barked = threading.Event()
    loop = asyncio.get_running_loop()
    with Watchdog(loop, every_s=0.01, patience_s=1, bark=barked.set):
        await asyncio.sleep(0.1)
    assert not barked.is_set()


async def test_a_blocked_loop_is_reported() -> None:
    barked = threading.Event()
    loop = asyncio.get_running_loop()
    with Watchdog(loop, every_s=0.01, patience_s=0.05, bark=barked.set):
        await asyncio.sleep(0.02)
        time.sleep(0.3)  # noqa: ASYNC251 - this is the fault
        assert barked.is_set()
