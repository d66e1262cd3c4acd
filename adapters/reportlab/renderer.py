"""Draws papers in a worker process, for setting type holds the GIL.

The library is imported by the worker alone: API and worker start without it. The process starts
with the first paper, is replaced when it dies, and ends with its parent.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from application.ports.documents import PDF_ROWS_MAX, Document, DocumentTooLong
from application.ports.errors import Unavailable


class ReportLabDocuments:
    """See `application.ports.documents.DocumentRenderer`. `close()` when done."""

    def __init__(self, *, workers: int = 1, max_waiting: int = 32) -> None:
        self._workers = workers
        self._max_waiting = max_waiting
        self._waiting = 0
        self._pool: ProcessPoolExecutor | None = None

    async def pdf(self, document: Document) -> bytes:
        if sum(len(section.rows) for section in document.sections) > PDF_ROWS_MAX:
            raise DocumentTooLong(PDF_ROWS_MAX)
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many papers are waiting.", provider="documents", retry_after_s=5)
        self._waiting += 1
        try:
            return await self._drawn(document)
        except BrokenProcessPool as error:
            raise Unavailable("The worker that draws papers died.", provider="documents") from error
        finally:
            self._waiting -= 1

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _drawn(self, document: Document) -> bytes:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
            )
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(_draw, document))
        except BrokenProcessPool:
            if self._pool is pool:
                self.close()
            raise


def _draw(document: Document) -> bytes:
    from adapters.reportlab.drawing import draw

    return draw(document)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
