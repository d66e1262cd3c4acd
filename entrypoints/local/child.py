"""A part of the stack that is a program of ours: how it starts, is known to be ready, and ends."""

import asyncio
import contextlib
import inspect
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from entrypoints.local.errors import LocalError
from entrypoints.local.processes import ProcessRecord, Roll, kill_group

_READY_POLL_S = 0.05
_EXIT_POLL_S = 0.05
_LINE_LIMIT = 1 << 20

Check = Callable[[], bool | Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`ready` is a URL that answers 200, or a check; `restart=False` runs once and must succeed."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str | Check | None = None
    restart: bool = True
    ready_timeout_s: float = 180.0  # a busy machine may need a minute; a dead part is seen at once
    grace_s: float = 30.0


class Child:
    """A running `Process`: its lines go to the screen and to a file, its number onto the roll."""

    def __init__(
        self, process: Process, roll: Roll, log_dir: Path, tell: Callable[[str, str], None]
    ) -> None:
        self.name = process.name
        self._process = process
        self._roll = roll
        self._tell = tell
        self._log_path = log_dir / f"{process.name}.log"
        self._running: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=5)

    async def start(self) -> None:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._running = await asyncio.create_subprocess_exec(
                *self._process.argv,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._process.env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                limit=_LINE_LIMIT,
                # Ctrl-C in a terminal reaches a whole group: the parts must hear of it in order.
                start_new_session=True,
            )
        except OSError as error:
            raise LocalError(f"{self.name} cannot be started: {error}.") from None
        self._roll.add(
            ProcessRecord.of(self._running.pid, name=self.name, grace_s=self._process.grace_s)
        )
        self._reader = asyncio.create_task(self._read(self._running))

    async def wait(self) -> int:
        running = self._live()
        code = await _exit_code(running)
        kill_group(running.pid)  # what it started itself must not outlive it
        return code

    async def wait_done(self) -> None:
        code = await self.wait()
        await self._read_to_end()
        if code != 0:
            raise LocalError(f"{self.name} failed: {self.last_words()}")

    async def wait_ready(self) -> None:
        running = self._live()
        deadline = time.monotonic() + self._process.ready_timeout_s
        while not await self._is_ready():
            if running.returncode is not None:
                await self.wait_done()
                raise LocalError(f"{self.name} ended before it was ready: {self.last_words()}")
            if time.monotonic() > deadline:
                raise LocalError(
                    f"{self.name} was not ready after {self._process.ready_timeout_s:g} s; "
                    f"its log is {self._log_path}: {self.last_words()}"
                )
            await asyncio.sleep(_READY_POLL_S)

    async def stop(self, *, hurry: asyncio.Event) -> None:
        """Ask, wait for the grace or for `hurry`, then kill the whole group."""
        if self._running is None:
            return
        if self._running.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._running.send_signal(signal.SIGTERM)
            gone = asyncio.create_task(_exit_code(self._running))
            hurried = asyncio.create_task(hurry.wait())
            await asyncio.wait(
                {gone, hurried},
                timeout=self._process.grace_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            hurried.cancel()
            if not gone.done():
                self._tell("likeness", f"{self.name} does not stop; killing it")
        kill_group(self._running.pid)
        await _exit_code(self._running)
        await self._read_to_end()

    def last_words(self) -> str:
        return " | ".join(self._last_lines) or "(it said nothing)"

    def _live(self) -> asyncio.subprocess.Process:
        if self._running is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._running

    async def _read_to_end(self) -> None:
        """A stray grandchild may hold the pipe open for ever: do not wait for that."""
        if self._reader:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reader, timeout=1)

    async def _is_ready(self) -> bool:
        check = self._process.ready
        if check is None:
            return True
        if isinstance(check, str):
            return await asyncio.to_thread(_answers, check)
        answer = check()
        return await answer if inspect.isawaitable(answer) else bool(answer)

    async def _read(self, running: asyncio.subprocess.Process) -> None:
        assert running.stdout is not None  # noqa: S101 - it was asked for
        with self._log_path.open("a", encoding="utf-8") as log:
            while True:
                try:
                    raw = await running.stdout.readline()
                except ValueError:  # a line beyond the limit: the buffer was dropped
                    continue
                if not raw:
                    return
                line = raw.decode(errors="replace").rstrip()
                log.write(line + "\n")
                log.flush()
                self._last_lines.append(line)
                self._tell(self.name, line)


async def _exit_code(running: asyncio.subprocess.Process) -> int:
    """When the process itself has ended; asyncio's own `wait` waits for its pipes as well, which
    the servers that a killed leader leaves behind hold open for as long as they serve."""
    while running.returncode is None:  # noqa: ASYNC110 - nothing else tells of it
        await asyncio.sleep(_EXIT_POLL_S)
    return running.returncode


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
