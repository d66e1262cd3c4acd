"""Images by open_nsfw, in one worker process: the network holds a processor for 15 to 30 ms.

The process starts with the first image, is replaced when it dies, ends with its parent, and keeps
onnxruntime and the weights out of everybody else's memory.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from adapters.opennsfw.work import NotAnImage, nsfw_score
from application.ports.errors import Unavailable
from application.ports.images import ImageRefused
from application.ports.moderation import ImageScores

_NAME = "open_nsfw"


class OpenNsfwClassifier:
    """See `application.ports.moderation.ImageClassifier`. `close()` when done.

    At most `max_waiting` images are held in memory; one more is refused with Unavailable. An image
    is taken as it is: whoever asks has looked at its size before.
    """

    def __init__(self, *, workers: int = 1, max_waiting: int = 32) -> None:
        self._workers = workers
        self._max_waiting = max_waiting
        self._waiting = 0
        self._pool: ProcessPoolExecutor | None = None

    async def classify(self, content: bytes) -> ImageScores:
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many images are waiting.", provider=_NAME, retry_after_s=5)
        self._waiting += 1
        try:
            try:
                nsfw = await self._submitted(content)
            except BrokenProcessPool:
                nsfw = await self._submitted(content)
        except NotAnImage:
            raise ImageRefused("The image is damaged or incomplete: export it again.") from None
        except BrokenProcessPool as error:
            raise Unavailable("The classifier died twice.", provider=_NAME) from error
        finally:
            self._waiting -= 1
        return ImageScores(nsfw=nsfw, classifier=_NAME)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _submitted(self, content: bytes) -> float:
        pool = self._pool
        if pool is None:
            pool = self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
            )
        try:
            return await asyncio.wrap_future(pool.submit(nsfw_score, content))
        except BrokenProcessPool:
            if self._pool is pool:
                self.close()
            raise


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
