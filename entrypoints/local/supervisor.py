"""One process that starts the parts of the stack in order, watches them, and stops them in reverse.

The parts of a stage start together, the next stage when all of them are ready. What crashes is
started again, after a growing pause. Whatever ends the supervisor, nothing stays behind: its
guardian reads the same roll.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psutil

from entrypoints.local import guardian
from entrypoints.local.child import Child, Process
from entrypoints.local.errors import LocalError
from entrypoints.local.locks import FileLock
from entrypoints.local.processes import Roll
from entrypoints.local.server import EmbeddedServer, make_folder

Part = EmbeddedServer | Process
Stage = Sequence[Part]
Tell = Callable[[str, str], None]
"""Called with the name of a part (or "likeness") and a line to show."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
_SERVER_CHECK_S = 1.0
_CLEARING_S = 15.0
_CLEARING_POLL_S = 0.05


class Supervisor:
    """`run(body)` has the stack up while `body` runs, until it ends or a signal comes."""

    def __init__(self, data_dir: Path, stages: Sequence[Stage], *, tell: Tell) -> None:
        self._stages = stages
        self._tell = tell
        self._data_dir = data_dir
        self._lock = FileLock(data_dir / "supervisor.lock")
        self._roll = Roll(data_dir / "supervisor.processes.jsonl")
        self._started: list[EmbeddedServer | Child] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._hurry = asyncio.Event()

    async def run(self, body: Callable[[], Awaitable[None]], *, facts: dict[str, str]) -> bool:
        """Whether `body` came to its end (False: a signal was first). Raises `LocalError`.

        `facts` are told to other commands of the same checkout while the stack is up.
        """
        self._take_place()
        stop_asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, stop_asked)
        work = asyncio.create_task(self._start_and(body, facts))
        stop = asyncio.create_task(stop_asked.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            finished = work.done()
            stop.cancel()
            work.cancel()
            await asyncio.wait({work, stop})
            if finished:
                work.result()
            return finished
        finally:
            await self._stop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _on_signal(self, stop_asked: asyncio.Event) -> None:
        if stop_asked.is_set():
            self._tell("likeness", "killing what is left")
            self._hurry.set()
        else:
            self._tell("likeness", "stopping")
            stop_asked.set()

    def _take_place(self) -> None:
        make_folder(self._data_dir)
        deadline = time.monotonic() + _CLEARING_S
        while not self._lock.try_alone():
            facts = _read_facts(self._data_dir)
            if _is_alive(facts) or time.monotonic() > deadline:
                raise LocalError(_already_running(facts))
            time.sleep(_CLEARING_POLL_S)  # the guardian of a killed supervisor is clearing up
        for record in self._roll.stop_all():
            self._tell("likeness", f"stopped {record.name}, left behind by a crash")
        guardian.appoint(lock_path=self._lock.path, roll_path=self._roll.path)

    async def _start_and(self, body: Callable[[], Awaitable[None]], facts: dict[str, str]) -> None:
        self._publish(facts)
        for stage in self._stages:
            coming = [asyncio.create_task(self._bring_up(part)) for part in stage]
            try:
                await asyncio.gather(*coming)
            finally:
                for task in coming:
                    task.cancel()
                await asyncio.gather(*coming, return_exceptions=True)
        await body()

    async def _bring_up(self, part: Part) -> None:
        began = time.monotonic()
        if isinstance(part, EmbeddedServer):
            self._started.append(part)
            await asyncio.to_thread(part.start)
            self._watch(self._keep_server(part))
        else:
            child = Child(part, self._roll, self._data_dir / "logs", self._tell)
            self._started.append(child)
            await child.start()
            if part.restart:
                await child.wait_ready()
                self._watch(self._keep_child(child))
            else:
                await child.wait_done()
                self._started.remove(child)
        took_s = time.monotonic() - began
        self._tell("likeness", f"{part.name} ready after {took_s:.1f} s")

    def _watch(self, keeper: Awaitable[None]) -> None:
        self._watchers.append(asyncio.ensure_future(keeper))

    async def _keep_child(self, child: Child) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = await child.wait()
            if time.monotonic() - began > _STEADY_S:
                pause_s = _FIRST_PAUSE_S
            self._tell(
                "likeness",
                f"{child.name} ended ({describe_exit(code)}); starting it again in {pause_s:g} s",
            )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            await child.start()

    async def _keep_server(self, server: EmbeddedServer) -> None:
        pause_s = _SERVER_CHECK_S
        while True:
            await asyncio.sleep(pause_s)
            if await asyncio.to_thread(server.answers):
                pause_s = _SERVER_CHECK_S
                continue
            self._tell("likeness", f"{server.name} does not answer; starting it again")
            try:
                await asyncio.to_thread(server.revive)
            except LocalError as error:
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                self._tell("likeness", f"{error} Trying again in {pause_s:g} s")

    def _publish(self, facts: dict[str, str]) -> None:
        path = _facts_path(self._data_dir)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({"pid": str(os.getpid()), **facts}))
        draft.replace(path)

    async def _stop(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for part in reversed(self._started):
            if isinstance(part, Child):
                await part.stop(hurry=self._hurry)
            else:
                await asyncio.to_thread(part.stop)
        self._roll.path.unlink(missing_ok=True)
        _facts_path(self._data_dir).unlink(missing_ok=True)
        self._lock.let_go()


def running_stack(data_dir: Path) -> dict[str, str]:
    """What the supervisor of this data folder says about itself; empty when there is none."""
    lock = FileLock(data_dir / "supervisor.lock")
    if not lock.path.exists():
        return {}
    with contextlib.suppress(OSError):
        if lock.try_alone():
            lock.let_go()
            return {}
    return _read_facts(data_dir)


def _read_facts(data_dir: Path) -> dict[str, str]:
    try:
        facts = json.loads(_facts_path(data_dir).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in facts.items()}


def _is_alive(facts: dict[str, str]) -> bool:
    try:
        return psutil.Process(int(facts["pid"])).status() != psutil.STATUS_ZOMBIE
    except (KeyError, psutil.NoSuchProcess):
        return False


def _already_running(facts: dict[str, str]) -> str:
    holder = f"process {facts['pid']}" if "pid" in facts else "another process"
    place = f" at {facts['base_url']}" if "base_url" in facts else ""
    return (
        f"The stack of this checkout is run by {holder} already{place}; "
        "stop that one, or set LIKENESS_DATA_DIR to another folder to run a second."
    )


def _facts_path(data_dir: Path) -> Path:
    return data_dir / "stack.json"


def describe_exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
