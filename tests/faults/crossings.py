"""A worker that kills itself with SIGKILL at a point that a test names.

A *crossing* is a step with which a process changes the world outside it: a commit, a claim, the end
of a claim, a message handed to the queue, a call to the payment provider. Between two crossings
nothing outside changes, so dying before each of them covers every point at which it can die.

Nothing of the worker is replaced: its ports are wrapped, and report the crossing they are about to
make.
"""

import asyncio
import dataclasses
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

import structlog

from application.ports.messages import Box, Claim, DueMessage, MessageQueue, Setback
from application.ports.payments import Payments
from application.ports.unit_of_work import UnitOfWork
from entrypoints.bootstrap import Ports, open_ports
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker import main
from entrypoints.worker.broker import QueueSender, open_broker
from entrypoints.worker.jobs import jobs
from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.relay import Relay
from entrypoints.worker.topic import Topics
from entrypoints.worker.topics import topics

RELEASE = "release-earnings"


class Crossings:
    """Numbers the crossings by name, writes them down, and dies before the one called `deadly`."""

    def __init__(self, record: Path, *, deadly: str | None) -> None:
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._deadly = deadly
        self._counts: Counter[str] = Counter()

    def about_to(self, what: str, *, topic: str | None = None) -> None:
        topic = topic or structlog.contextvars.get_contextvars().get("topic", RELEASE)
        name = f"{topic}: {what}"
        self._counts[name] += 1
        numbered = f"{name} {self._counts[name]}"
        os.write(self._record, f"{numbered}\n".encode())
        if numbered == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class CrossedUnitOfWork:
    def __init__(self, inner: UnitOfWork, crossings: Crossings) -> None:
        self._inner = inner
        self._crossings = crossings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

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
        self._crossings.about_to("commit")
        await self._inner.commit()


class CrossedPayments:
    """Calls that move money cross; questions change nothing."""

    def __init__(self, inner: Payments, crossings: Crossings) -> None:
        self._inner = inner
        self._crossings = crossings

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Awaitable[Any]] = getattr(self._inner, name)
        if name not in ("transfer", "refund", "reverse_transfer"):
            return method

        async def call(*args: Any, **named: Any) -> Any:
            self._crossings.about_to(name)
            return await method(*args, **named)

        return call


class CrossedQueue:
    def __init__(self, inner: MessageQueue, crossings: Crossings) -> None:
        self._inner = inner
        self._crossings = crossings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def take_due(
        self, box: Box, *, rooms: Mapping[str, int], now: datetime, visibility: timedelta
    ) -> list[DueMessage]:
        due = await self._inner.take_due(box, rooms=rooms, now=now, visibility=visibility)
        for topic in sorted({message.topic for message in due}):
            self._crossings.about_to("send", topic=topic)
        return due

    async def claim(
        self, box: Box, topic: str, ids: Sequence[UUID], *, lease: timedelta
    ) -> Claim | None:
        self._crossings.about_to("claim", topic=topic)
        return await self._inner.claim(box, topic, ids, lease=lease)

    async def finish(
        self, claim: Claim, *, done: Sequence[UUID], setbacks: Sequence[Setback], now: datetime
    ) -> int:
        self._crossings.about_to("finish", topic=claim.messages[0].topic)
        return await self._inner.finish(claim, done=done, setbacks=setbacks, now=now)


def crossed(ports: Ports, crossings: Crossings) -> Ports:
    return dataclasses.replace(
        ports,
        uow=lambda: cast("UnitOfWork", CrossedUnitOfWork(ports.uow(), crossings)),
        payments=cast("Payments", CrossedPayments(ports.payments, crossings)),
        messages=cast("MessageQueue", CrossedQueue(ports.messages, crossings)),
    )


def work(settings: Settings, record: Path, *, deadly: str | None, follows: bool) -> None:
    """Worker, relay and the release of earnings in this process, until it is killed."""
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
        beside.append(asyncio.create_task(_release(ports, settings, again=follows)))
        return ports, table

    main.serve(settings, opening, stop=threading.Event())


async def _release(ports: Ports, settings: Settings, *, again: bool) -> None:
    """What the scheduler does every minute: here as soon as the clock was moved.

    Once is enough in one life. Who follows a killed worker may find rows that the server still
    holds for the dead, and has to look again.
    """
    job = next(job for job in jobs(ports, settings) if job.name == RELEASE)
    while not settings.clock_file.exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await job.run()
    while again:
        await asyncio.sleep(0.2)
        await job.run()


def _write_to(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(file, standard)


def crossings_in(record: Path) -> Collection[str]:
    return record.read_text().splitlines()
