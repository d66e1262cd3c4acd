"""Images by Pillow, in worker processes: decoding holds the GIL, and a bad file may kill it.

Workers start with the first image, are replaced when one dies, and end with their parent.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from adapters.pillow import work
from application.ports.errors import Unavailable
from application.ports.images import Derivatives, ImageFacts, Rendition
from domain.media.looks import GreyImage
from domain.media.provenance import SourceType

P = ParamSpec("P")
T = TypeVar("T")


class PillowImages:
    """See `application.ports.images.ImageProcessor`. `close()` when done.

    At most `max_waiting` images are held in memory for `workers` processes; one more is refused
    with Unavailable.
    """

    def __init__(self, *, workers: int = 2, max_waiting: int = 32) -> None:
        self._workers = workers
        self._max_waiting = max_waiting
        self._waiting = 0
        self._pool: ProcessPoolExecutor | None = None

    async def inspect(self, content: bytes) -> ImageFacts:
        return await self._run(work.inspect, content)

    async def sanitise(self, content: bytes) -> Rendition:
        return await self._run(work.sanitise, content)

    async def grey(self, content: bytes, *, longest_px: int) -> GreyImage:
        return await self._run(work.grey, content, longest_px)

    async def derive(
        self, content: bytes, *, watermark: str | None, source: SourceType | None = None
    ) -> Derivatives:
        return await self._run(work.derive, content, watermark, source)

    async def archive(self, files: list[tuple[str, bytes]]) -> bytes:
        return await asyncio.to_thread(work.archive, files)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many images are waiting.", provider="images", retry_after_s=5)
        self._waiting += 1
        try:
            try:
                return await self._submitted(job, *args, **kwargs)
            except BrokenProcessPool:
                return await self._submitted(job, *args, **kwargs)
        except BrokenProcessPool as error:
            raise Unavailable("The image worker died twice.", provider="images") from error
        finally:
            self._waiting -= 1

    async def _submitted(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        pool = self._pool or self._started()
        try:
            return await asyncio.wrap_future(pool.submit(job, *args, **kwargs))
        except BrokenProcessPool:
            if self._pool is pool:
                self.close()
            raise

    def _started(self) -> ProcessPoolExecutor:
        self._pool = ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        )
        return self._pool


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
