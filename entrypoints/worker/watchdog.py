"""Ends a process whose event loop no longer turns, so that its supervisor starts a fresh one.

A handler that blocks the loop stops every other batch too, and nothing inside the loop could tell.
The rows it held are sent again when their leases end.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h


def _end_process() -> None:
    faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr, all_threads=True)
    os._exit(EXIT_CODE)


class Watchdog:
    """Asks the loop for a sign of life every `every_s`; calls `bark` after `patience_s` without."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        every_s: float = 5.0,
        patience_s: float = 30.0,
        bark: Callable[[], None] = _end_process,
    ) -> None:
        self._loop = loop
        self._every_s = every_s
        self._patience_s = patience_s
        self._bark = bark
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every_s):
            alive = threading.Event()
            self._loop.call_soon_threadsafe(alive.set)
            if not alive.wait(self._patience_s) and not self._over.is_set():
                self._bark()
                return
