"""Worker processes as deployed, fed with batches directly: what Redis would carry is given."""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from multiprocessing.synchronize import Barrier
from uuid import UUID

import uvloop

from entrypoints.bootstrap import open_ports
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker.dispatch import Dispatcher
from entrypoints.worker.topics import topics

BATCH = 100


class Settlers:
    """`workers` batches at a time, spread over `processes`. `settle` may be called again."""

    def __init__(self, environ: Mapping[str, str], *, processes: int, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._start = context.Barrier(processes + 1)
        self._end = context.Barrier(processes + 1)
        self._batches = [context.SimpleQueue() for _ in range(processes)]
        self._running = [
            context.Process(
                target=_serve,
                args=(dict(environ), batches, self._start, self._end, workers // processes),
                daemon=True,
            )
            for batches in self._batches
        ]
        for process in self._running:
            process.start()

    async def settle(self, ids: Sequence[UUID]) -> float:
        """Messages a second, from the first claim to the last message done."""
        batches = [[str(one) for one in ids[at : at + BATCH]] for at in range(0, len(ids), BATCH)]
        share = len(self._batches)
        for number, queue in enumerate(self._batches):
            queue.put(batches[number::share])
        return await asyncio.to_thread(self._measure, len(ids))

    def _measure(self, count: int) -> float:
        self._start.wait(60)
        began = time.perf_counter()
        self._end.wait(120)
        return count / (time.perf_counter() - began)

    def close(self) -> None:
        for queue in self._batches:
            queue.put(None)
        for process in self._running:
            process.join(20)


def _serve(
    environ: Mapping[str, str],
    incoming: "multiprocessing.SimpleQueue[list[list[str]] | None]",
    start: Barrier,
    end: Barrier,
    workers: int,
) -> None:
    uvloop.run(_work(Settings.load(environ), incoming, start, end, workers))


async def _work(
    settings: Settings,
    incoming: "multiprocessing.SimpleQueue[list[list[str]] | None]",
    start: Barrier,
    end: Barrier,
    workers: int,
) -> None:
    configure_logging(json=True, level="WARNING", process="worker")
    ports = await open_ports(settings)
    dispatcher = Dispatcher(
        topics=topics(ports), messages=ports.messages, clock=ports.clock, wake=ports.wake
    )

    async def worker(batches: list[list[str]]) -> None:
        while batches:
            await dispatcher.dispatch("inbox", "stripe", batches.pop())

    while (batches := await asyncio.to_thread(incoming.get)) is not None:
        await asyncio.to_thread(start.wait, 60)
        await asyncio.gather(*(worker(batches) for _ in range(workers)))
        await asyncio.to_thread(end.wait, 60)
    await ports.aclose()
