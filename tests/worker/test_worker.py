"""Relay and worker together, over real PostgreSQL and Redis, with what goes wrong between them."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.memory.idempotency import MemoryIdempotency
from adapters.postgres.leadership import PostgresLeadership
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.postgres.scheduler_runs import PostgresJobRuns
from adapters.redis.wake import RedisWake, RedisWakeListener
from adapters.system.clock import SystemClock
from application.ports.messages import Message
from entrypoints.local.redis import EmbeddedRedis
from entrypoints.settings import Settings
from entrypoints.worker import main
from entrypoints.worker.broker import Envelope, QueueSender, open_broker
from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.relay import Relay
from entrypoints.worker.topic import Topic, Topics
from tests.worker.conftest import Producer, eventually


class Ports:
    """What the composition root would open, on the loop of the worker."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._engine = create_async_engine(database_url)
        self._redis = Redis.from_url(redis_url)
        self._wake = RedisWake(self._redis)
        self.clock = SystemClock()
        self.messages = PostgresMessageQueue(self._engine)
        self.wake = self._wake
        self.wake_listener = RedisWakeListener(self._redis)
        self.leadership = PostgresLeadership(database_url, name="scheduler")
        self.job_runs = PostgresJobRuns(self._engine)
        self.idempotency = MemoryIdempotency()

    async def aclose(self) -> None:
        await self._wake.aclose()
        await self._redis.aclose()
        await self._engine.dispose()


class Handled:
    """The texts of all messages handled, with the time of each."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.count = 0
        self.pause_s = 0.0

    async def handle(self, messages: Sequence[Message]) -> None:
        await asyncio.sleep(self.pause_s)
        for message in messages:
            self.count += 1
            self.at[message.payload.decode()] = time.monotonic()

    def topics(self) -> Topics:
        return {"greet": Topic(handle=self.handle, batch_size=5)}


def settings_for(database_url: str, redis_url: str) -> Settings:
    return Settings.load(
        {
            "LIKENESS_ENV": "test",
            "LIKENESS_SECRET_KEY": "k" * 48,
            "LIKENESS_DATABASE_URL": database_url,
            "LIKENESS_REDIS_URL": redis_url,
            "LIKENESS_WORKER_THREADS": "4",
        }
    )


@contextlib.asynccontextmanager
async def working(handled: Handled, database_url: str, redis_url: str) -> AsyncIterator[None]:
    async def opening() -> tuple[WorkerPorts, Topics]:
        return Ports(database_url, redis_url), handled.topics()

    stop = threading.Event()
    serving = asyncio.create_task(
        asyncio.to_thread(main.serve, settings_for(database_url, redis_url), opening, stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        await serving


@contextlib.asynccontextmanager
async def relaying(
    handled: Handled, database_url: str, redis_url: str, **options: timedelta
) -> AsyncIterator[None]:
    ports = Ports(database_url, redis_url)
    broker = open_broker(redis_url)
    relay = Relay(
        topics=handled.topics(),
        messages=ports.messages,
        sender=QueueSender(broker),
        listener=ports.wake_listener,
        clock=ports.clock,
        sweep_every_s=0.1,
        visibility=options.get("visibility", timedelta(seconds=30)),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
        broker.close()
        await ports.aclose()


async def test_from_commit_to_handled_takes_a_fraction_of_a_second(
    producer: Producer, clean_redis: str, database_url: str, views: PostgresMessageViews
) -> None:
    handled = Handled()
    took_s = []
    async with (
        working(handled, database_url, clean_redis),
        relaying(handled, database_url, clean_redis),
    ):
        await producer.add("warm up")
        await eventually(lambda: handled.count == 1)
        for number in range(30):
            await asyncio.sleep(0.05)
            started = time.monotonic()
            await producer.add(str(number))
            await eventually(lambda: len(handled.at) == number + 2)  # noqa: B023
            took_s.append(max(handled.at.values()) - started)
    assert sorted(took_s)[15] < 0.15, took_s
    assert {row.state for row in await views.page("outbox")} == {"done"}


async def test_a_flushed_redis_between_dispatch_and_claim_loses_nothing(
    producer: Producer, redis: Redis, clean_redis: str, database_url: str
) -> None:
    handled = Handled()
    await producer.add(*(str(number) for number in range(20)))
    async with relaying(handled, database_url, clean_redis, visibility=timedelta(seconds=1)):
        await asyncio.sleep(0.3)
        assert await redis.exists("queue:default")
        await redis.flushdb()
        async with working(handled, database_url, clean_redis):
            await eventually(lambda: len(handled.at) == 20)
            await asyncio.sleep(0.2)
    assert handled.count == 20


async def test_a_queue_message_delivered_three_times_is_handled_once(
    producer: Producer, queue: PostgresMessageQueue, clean_redis: str, database_url: str
) -> None:
    handled = Handled()
    await producer.add("one")
    [due] = await queue.take_due(
        "outbox", rooms={"greet": 1}, now=SystemClock().now(), visibility=timedelta(seconds=30)
    )
    broker = open_broker(clean_redis)
    await QueueSender(broker).send([Envelope("default", "outbox", "greet", [due.id])] * 3)
    broker.close()
    async with working(handled, database_url, clean_redis):
        await eventually(lambda: handled.count > 0)
        await asyncio.sleep(0.3)
    assert handled.count == 1


async def test_what_is_under_way_when_the_worker_is_told_to_stop_is_finished(
    producer: Producer, clean_redis: str, database_url: str, views: PostgresMessageViews
) -> None:
    handled = Handled()
    handled.pause_s = 0.5
    await producer.add("one")
    async with relaying(handled, database_url, clean_redis):
        async with working(handled, database_url, clean_redis):
            async with asyncio.timeout(10):
                while (await views.page("outbox"))[0].state != "running":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        [row] = await views.page("outbox")
    assert (row.state, row.attempts) == ("done", 1)


async def test_a_worker_that_cannot_open_its_ports_ends_with_the_reason(
    clean_redis: str, database_url: str
) -> None:
    async def opening() -> tuple[WorkerPorts, Topics]:
        raise ConnectionError("no database")

    settings = settings_for(database_url, clean_redis)
    with pytest.raises(ConnectionError, match="no database"):
        await asyncio.to_thread(main.serve, settings, opening, stop=threading.Event())


async def test_relay_and_worker_survive_a_redis_that_goes_away_and_comes_back(
    engine: AsyncEngine, producer: Producer, database_url: str, tmp_path: Path
) -> None:
    handled = Handled()
    first = EmbeddedRedis(tmp_path / "redis")
    await asyncio.to_thread(first.start)
    async with (
        working(handled, database_url, first.url),
        relaying(handled, database_url, first.url, visibility=timedelta(seconds=1)),
    ):
        await producer.add("before")
        await eventually(lambda: handled.count == 1)
        await asyncio.to_thread(first.stop)
        await producer.add("meanwhile")
        await asyncio.sleep(0.5)
        again = EmbeddedRedis(tmp_path / "redis")
        await asyncio.to_thread(again.start)
        await eventually(lambda: handled.count == 2)
    await asyncio.to_thread(again.stop)
