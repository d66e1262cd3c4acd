"""A server that many processes share: the first starts it, the last stops it.

If they all die without a word, its guardian stops it.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

from entrypoints.local import guardian
from entrypoints.local.errors import LocalError
from entrypoints.local.locks import FileLock, alone
from entrypoints.local.processes import ProcessRecord, Roll

_START_TIMEOUT_S = 180.0  # recovery after a crash takes its time; a dead server is seen at once
_POLL_S = 0.01
_SOCKET_PATH_LIMIT = 100  # the kernel takes 103 bytes on macOS, 107 on Linux


def silent(_: str) -> None:
    return None


class EmbeddedServer(ABC):
    """`start` takes a share in the server of this folder, `stop` returns it.

    Both may be called from several processes at once. Raises `LocalError` with the last words of
    the server when it does not come up.
    """

    name: str
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 15.0

    def __init__(self, folder: Path, *, say: Callable[[str], None] = silent) -> None:
        self.folder = folder.absolute()
        self.log_path = self.folder / "server.log"
        self._say = say
        self._roll = Roll(self.folder / "processes.jsonl")
        self._lease = FileLock(self.folder / "lease.lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.RLock()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server of this folder takes connections now."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the folder ready and clear away what a crash has left."""

    @abstractmethod
    def _spawn(self, log: int) -> subprocess.Popen[bytes]: ...

    def _settle(self) -> None:  # noqa: B027 - nothing to do is a good answer
        """What is left to do once a fresh server answers."""

    def start(self) -> None:
        with self._turn:
            if self._lease.held:
                return
            make_folder(self.folder)
            self._lease.take_share()
            try:
                guardian.appoint(lock_path=self._lease.path, roll_path=self._roll.path)
                self.revive()
            except BaseException:
                self.stop()
                raise

    def revive(self) -> None:
        """Start the server again unless it answers. Does nothing without a share."""
        with self._turn:
            if not self._lease.held:
                return
            with alone(self.folder / "start.lock"):
                if not self.answers():
                    self._reap()
                    self._roll.stop_all()
                    self._prepare()
                    self._launch()
                    self._settle()

    def stop(self) -> None:
        """Return the share; the last one to do so stops the server and waits until it is gone."""
        with self._turn:
            if not self._lease.held:
                return
            if self._lease.try_alone():
                self._roll.stop_all()
                self._reap()
            else:
                if self._process is not None:
                    guardian.disown(self._process)
                    self._process = None
                self._lease.take_share()  # waits, should the guardian be stopping the server
            self._lease.let_go()

    def _launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = self._spawn(log.fileno())
        self._roll.add(
            ProcessRecord.of(
                self._process.pid,
                name=self.name,
                stop_signal=self.stop_signal,
                grace_s=self.grace_s,
            )
        )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LocalError(
                    f"The embedded {self.name} did not start; its last words are in "
                    f"{self.log_path}: {self.last_words()}"
                )
            time.sleep(_POLL_S)

    def _reap(self) -> None:
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
            guardian.disown(self._process)
            self._process = None

    def last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log_path.read_text(errors="replace").strip().splitlines()
            return " | ".join(lines[-3:])
        return "(nothing)"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


def make_folder(folder: Path, *, mode: int = 0o755) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise LocalError(
            f"Cannot make the folder {folder} ({error.strerror}); "
            "set LIKENESS_DATA_DIR to a folder you may write to."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LocalError(
            f"Cannot write to {folder}; give yourself the right to, "
            "or set LIKENESS_DATA_DIR to another folder."
        )


def socket_folder(folder: Path, *, file_name: str) -> Path:
    """Where the socket of a server of `folder` goes: inside it if the path is short enough."""
    inside = folder / "socket"
    if len(os.fsencode(inside / file_name)) <= _SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"likeness-{digest}"
