"""What fails in a storm, at random but repeatably, and how one gets through it: by asking again."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import redis
from sqlalchemy.exc import SQLAlchemyError

from entrypoints.cli.demo.client import Person, Refused, StoryStopped
from entrypoints.local.stack import embedded_postgres
from tests.journeys.stack import Stack

PROCESSES = ("api", "worker", "relay", "scheduler")
PATIENCE_S = 180.0
_AGAIN = (
    httpx.HTTPError,
    StoryStopped,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    SQLAlchemyError,
)


class Misfortune:
    """What befalls the next few calls of an operation at a provider, as the sandbox arms it."""

    def __init__(self, name: str, provider: str, operation: str, kind: str, **more: object) -> None:
        self.name = name
        self.armed = {"provider": provider, "operation": operation, "kind": kind, **more}


@dataclass(frozen=True)
class Strength:
    """How often each process is killed at most, for the supervisor waits longer each time before it
    starts one again, and at least: a storm that spares a process proves nothing of it. How often
    Redis and PostgreSQL crash at most, and how long it is quiet between two blows."""

    kills: int = 6
    least_kills: int = 3
    crashes: int = 3
    pause_s: tuple[float, float] = (0.4, 1.2)


class Weather:
    """Lets things fail until it is told to clear up; counts what it did."""

    def __init__(
        self,
        stack: Stack,
        *,
        seed: int,
        misfortunes: Sequence[Misfortune],
        strength: Strength = Strength(),
    ) -> None:
        self._stack = stack
        self._misfortunes = misfortunes
        self._strength = strength
        self._chance = random.Random(seed)
        self._clear = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)
        self.did: Counter[str] = Counter()

    @contextlib.contextmanager
    def raging(self) -> Iterator[None]:
        self._stack.sandbox.control(
            "webhooks", copies=2, shuffle=True, drop_rate=0.2, seed=self._chance.randrange(1000)
        )
        self._thread.start()
        try:
            yield
            self._spare_nobody()
        finally:
            self._clear.set()
            self._thread.join()
            self._stack.sandbox.http.delete(f"{self._stack.sandbox.url}/control/failures")
            self._stack.sandbox.control("webhooks")

    @property
    def spared(self) -> list[str]:
        """Processes that were killed too seldom."""
        least = self._strength.least_kills
        return [name for name in PROCESSES if self.did[f"{name} killed"] < least]

    def _spare_nobody(self) -> None:
        """A short trade ends before the storm has found everybody."""
        deadline = time.monotonic() + PATIENCE_S
        while self.spared and time.monotonic() < deadline:
            time.sleep(0.2)

    def _rage(self) -> None:
        while not self._clear.wait(self._chance.uniform(*self._strength.pause_s)):
            act = self._chance.choice(
                [self._kill, self._kill, self._kill, self._befall, self._empty_redis]
                + [self._kill_redis] * (self.did["Redis killed"] < self._strength.crashes)
                + [self._crash_postgres] * (self.did["PostgreSQL crashed"] < self._strength.crashes)
            )
            with contextlib.suppress(*_AGAIN, redis.RedisError, IndexError):
                act()

    def _kill(self) -> None:
        name = self._chance.choice(PROCESSES)
        if self.did[f"{name} killed"] < self._strength.kills:
            os.kill(self._stack.pid_of(name), signal.SIGKILL)
            self.did[f"{name} killed"] += 1

    def _befall(self) -> None:
        times = self._chance.randint(1, 3)
        misfortune = self._chance.choice(self._misfortunes)
        self._stack.sandbox.control("failures", times=times, **misfortune.armed)
        self.did[misfortune.name] += times

    def _empty_redis(self) -> None:
        with redis.from_url(self._stack.redis_url) as client:
            client.flushall()
        self.did["Redis emptied"] += 1

    def _kill_redis(self) -> None:
        with redis.from_url(self._stack.redis_url) as client:
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGKILL)
        self.did["Redis killed"] += 1

    def _crash_postgres(self) -> None:
        lock = embedded_postgres(self._stack.settings).cluster / "postmaster.pid"
        os.kill(int(lock.read_text().split()[0]), signal.SIGQUIT)
        self.did["PostgreSQL crashed"] += 1


def insisting(ask: Callable[[], Any]) -> Any:
    """Ask until there is an answer, as a client with an idempotency key may."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except Refused as refused:
            again = refused.status >= 500 or refused.error["code"] == "idempotency_in_progress"
            if not again or time.monotonic() > deadline:
                raise
        except _AGAIN:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def keyed(person: Person, path: str, body: dict[str, Any], *, key: str) -> Any:
    return person._signed("POST", path, headers={"Idempotency-Key": key}, json=body)
