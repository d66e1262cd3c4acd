"""Locks which the kernel takes back when their holder dies, however it dies.

Every rule about "who is responsible for this process" in this package rests on `flock`: a killed
holder cannot forget to let go, and no number of a long-dead process has to be believed.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from entrypoints.local.errors import LocalError

_POLL_S = 0.01


class FileLock:
    """One holder alone, or many holders that share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def try_alone(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def take_alone(self) -> None:
        """Wait for as long as it takes."""
        fcntl.flock(self._open(), fcntl.LOCK_EX)

    def take_share(self, *, timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._try(fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                raise LocalError(
                    f"{self.path} is locked by a process that is shutting down and does not "
                    "finish; look for it with `fuser` on that file and end it."
                )
            time.sleep(_POLL_S)

    def let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, kind: int) -> bool:
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.let_go()
            return False
        return True

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock for one block."""
    lock = FileLock(path)
    lock.take_alone()
    try:
        yield
    finally:
        lock.let_go()
