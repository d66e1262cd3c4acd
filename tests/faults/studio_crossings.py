"""A worker of the studio that kills itself with SIGKILL just before and just after each commit, and
just before and just after each answer of a provider.

A crossing is named by what is done to which step of which kind of job, and a worker dies at each of
them once: whoever follows reads in the record where those before it have died. Ports are wrapped;
only the classifier of images is the one of memory, for its network takes longer to load than a
worker lives here.
"""

import asyncio
import dataclasses
import os
import signal
import threading
import weakref
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

import structlog

from adapters.memory.moderation import MemoryImageClassifier
from application.ports.engines import AttemptRef, Engine, EngineJob, EngineRequest
from application.ports.unit_of_work import UnitOfWork
from application.studio.dispatching import give_turns
from application.studio.polling import poll_stale_attempts
from domain.creators.likeness_model import LikenessModel  # noqa: F401 - loaded before the fork
from domain.studio.attempt import Attempt
from domain.studio.job import Job
from domain.studio.step import Step
from entrypoints.bootstrap import Ports, open_ports
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker import main
from entrypoints.worker.broker import QueueSender, open_broker
from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.relay import Relay
from entrypoints.worker.topic import Topics
from entrypoints.worker.topics import topics

SWEEP_EVERY_S = 0.25
DIED = "died at "
_LABELS = {
    "studio.submit_attempt": "submit",
    "studio.ingest_result": "ingest",
    "studio.run_step": "finish",
    "studio.cancel_attempt": "cancel",
}
_place: ContextVar[str] = ContextVar("_place", default="")
_step_id: ContextVar[UUID | None] = ContextVar("_step_id", default=None)
"""The step that this task has asked for last: what it commits is about that one."""


class Crossings:
    """Writes crossings down, and dies at those that begin with `deadly` and killed nobody yet."""

    def __init__(self, record: Path, *, deadly: str | None) -> None:
        self._deadly = deadly
        self._dead = {
            line.removeprefix(DIED) for line in crossed_in(record) if line.startswith(DIED)
        }
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._counts: weakref.WeakKeyDictionary[asyncio.Task[Any], Counter[str]] = (
            weakref.WeakKeyDictionary()
        )

    def count(self, what: str) -> int:
        """How often this handling of a message has done it, now included."""
        task = asyncio.current_task()
        assert task is not None
        counts = self._counts.setdefault(task, Counter())
        counts[what] += 1
        return counts[what]

    def cross(self, name: str) -> None:
        self._write(name)
        if self._deadly is not None and name.startswith(self._deadly) and name not in self._dead:
            self._write(DIED + name)
            os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, line: str) -> None:
        os.write(self._record, f"{line}\n".encode())


class CrossedUnitOfWork:
    """Knows by what was loaded which steps of which jobs a commit is about."""

    def __init__(self, inner: UnitOfWork, crossings: Crossings) -> None:
        self._inner = inner
        self._crossings = crossings
        self._kinds: dict[UUID, str] = {}
        self._steps: dict[UUID | None, Step] = {}
        self._planned: set[UUID] = set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return _Watched(found, self) if name in ("jobs", "steps", "attempts") else found

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._inner.__aexit__(kind, error, traceback)

    async def commit(self) -> None:
        names = self._names()
        for name in names:
            self._crossings.cross(f"{name}, before")
        await self._inner.commit()
        for name in names:
            self._crossings.cross(f"{name}, after")

    def see(self, found: object, *, added: bool = False, one: bool = False) -> None:
        match found:
            case Job():
                self._kinds[found.id] = str(found.kind)
            case Step():
                self._steps[found.id] = found
                if one:
                    _step_id.set(found.id)
            case Attempt() if added:
                self._planned.add(found.step_id)
            case Attempt() if one:
                _step_id.set(found.step_id)
            case list():
                for each in found:
                    self.see(each)
            case _:
                pass

    def _names(self) -> list[str]:
        names = []
        for step_id in self._planned or [_step_id.get()]:
            step = self._steps.get(step_id)
            kind = self._kinds.get(step.job_id) if step is not None else None
            if kind is None or step is None:
                continue
            place = f"{kind}/{step.type}"
            _place.set(place)
            what = f"{place} {self._label()}: commit"
            names.append(f"{what} {self._crossings.count(what)}")
        return names

    def _label(self) -> str:
        if self._planned:
            return "turn"
        topic = str(structlog.contextvars.get_contextvars().get("topic", ""))
        return next((label for name, label in _LABELS.items() if topic.startswith(name)), "report")


class _Watched:
    """A repository, seen by its unit of work."""

    def __init__(self, inner: Any, watcher: CrossedUnitOfWork) -> None:
        self._inner = inner
        self._watcher = watcher

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name == "add":

            def add(thing: object) -> None:
                method(thing)
                self._watcher.see(thing, added=True)

            return add
        if name not in ("get", "locked", "of_job", "of_jobs"):
            return method

        async def call(*args: Any, **named: Any) -> Any:
            found = await method(*args, **named)
            self._watcher.see(found, one=name == "get")
            return found

        return call


class CrossedEngine:
    def __init__(self, inner: Engine[Any], crossings: Crossings) -> None:
        self._inner = inner
        self._crossings = crossings
        self.provider, self.model = inner.provider, inner.model
        self.lists_jobs = inner.lists_jobs

    async def submit(self, request: EngineRequest, attempt: AttemptRef) -> EngineJob:
        name = f"{_place.get()} call"
        self._crossings.cross(f"{name}, before")
        taken = await self._inner.submit(request, attempt)
        self._crossings.cross(f"{name}, after")
        return taken

    async def fetch(self, request_id: str) -> EngineJob:
        return await self._inner.fetch(request_id)

    async def find(
        self, request: Any, attempt: AttemptRef, *, since: datetime, known: Collection[str]
    ) -> EngineJob | None:
        return await self._inner.find(request, attempt, since=since, known=known)

    async def cancel(self, request_id: str) -> None:
        await self._inner.cancel(request_id)


def crossed(ports: Ports, crossings: Crossings) -> Ports:
    def uow() -> UnitOfWork:
        return cast("UnitOfWork", CrossedUnitOfWork(ports.uow(), crossings))

    engines: Mapping[type[EngineRequest], Sequence[Engine[Any]]] = {
        request: [CrossedEngine(engine, crossings) for engine in served]
        for request, served in ports.workshop.engines.items()
    }
    moderation = dataclasses.replace(ports.moderation, images=MemoryImageClassifier())
    workshop = dataclasses.replace(
        ports.workshop, new_uow=uow, engines=engines, moderation=moderation
    )
    return dataclasses.replace(ports, uow=uow, workshop=workshop)


def work(settings: Settings, record: Path, *, deadly: str | None) -> None:
    """Worker, relay and the sweeps of the studio in this process, until it is killed."""
    _write_to(settings.data_dir / "worker.log")
    configure_logging(json=False, level="WARNING", process="worker")
    beside: list[asyncio.Task[None]] = []

    async def opening() -> tuple[WorkerPorts, Topics]:
        ports = crossed(await open_ports(settings), Crossings(record, deadly=deadly))
        table = topics(ports)
        relay = Relay(
            topics=table,
            messages=ports.messages,
            sender=QueueSender(open_broker(settings.redis_url)),
            listener=ports.wake_listener,
            clock=ports.clock,
            sweep_every_s=0.1,
        )
        beside.append(asyncio.create_task(relay.run(asyncio.Event())))
        beside.append(asyncio.create_task(_sweep(ports)))
        return ports, table

    main.serve(settings, opening, stop=threading.Event())


async def _sweep(ports: Ports) -> None:
    """What the scheduler does every few seconds; each pass in a task, by which commits count."""
    while True:
        await asyncio.create_task(_pass(ports))
        await asyncio.sleep(SWEEP_EVERY_S)


async def _pass(ports: Ports) -> None:
    await poll_stale_attempts(workshop=ports.workshop)
    await give_turns(workshop=ports.workshop)


def _write_to(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(file, standard)


def crossed_in(record: Path) -> Sequence[str]:
    return record.read_text().splitlines() if record.exists() else []
