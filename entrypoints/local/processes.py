"""Processes that are written down before anything can go wrong, so that they are always stopped.

A roll is a file of the processes that somebody started. Whoever outlives the starter (its guardian,
or the next start in the same folder) reads the roll and stops what is still running. A process is
known by its number *and* its time of birth, because the system gives numbers away again.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_BIRTH_TOLERANCE_S = 2.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A started process, leader of a process group of its own, and how it wishes to be stopped."""

    name: str
    pid: int
    born_at: float
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0

    @classmethod
    def of(
        cls, pid: int, *, name: str, stop_signal: int = signal.SIGTERM, grace_s: float = 10.0
    ) -> "ProcessRecord":
        try:
            born_at = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            born_at = 0.0
        return cls(name, pid, born_at, stop_signal, grace_s)

    def is_running(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return (
                abs(process.create_time() - self.born_at) < _BIRTH_TOLERANCE_S
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False

    def ask_to_stop(self) -> None:
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.stop_signal)

    def wait(self, timeout_s: float) -> bool:
        """Whether it was gone before the time was up."""
        deadline = time.monotonic() + timeout_s
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def stop(self) -> None:
        """Ask, wait for the grace, then kill what is left of the whole group."""
        was_running = self.is_running()
        self.ask_to_stop()
        self.wait(self.grace_s)
        if was_running:
            kill_group(self.pid)


def kill_group(leader_pid: int) -> None:
    """Kill a process group; its children too, if the leader left some behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader_pid, signal.SIGKILL)


class Roll:
    """The list on disk; lines are appended in order of start and read back in reverse."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, record: ProcessRecord) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(record)) + "\n")

    def read(self) -> list[ProcessRecord]:
        try:
            lines = self.path.read_text().splitlines()
        except FileNotFoundError:
            return []
        records = []
        for line in lines:
            with contextlib.suppress(ValueError, TypeError):  # the last line of a killed writer
                records.append(ProcessRecord(**json.loads(line)))
        return records

    def running(self) -> list[ProcessRecord]:
        return [record for record in self.read() if record.is_running()]

    def stop_all(self) -> list[ProcessRecord]:
        """Stop what still runs, the last started first; returns what had to be stopped."""
        found = self.running()
        stop_in_reverse(found)
        self.path.unlink(missing_ok=True)
        return found


def stop_in_reverse(records: Iterable[ProcessRecord]) -> None:
    for record in reversed(list(records)):
        record.stop()
