"""Real PostgreSQL and Redis for the machinery; each test starts with both of them empty."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres.engine import sessions_of
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.redis.wake import RedisWake
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids


class Greeting(msgspec.Struct):
    text: str = "hello"


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def queue(engine: AsyncEngine, clean_database: str) -> PostgresMessageQueue:
    return PostgresMessageQueue(engine)


@pytest.fixture
def views(engine: AsyncEngine) -> PostgresMessageViews:
    return PostgresMessageViews(engine)


@pytest.fixture
async def redis(clean_redis: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(clean_redis) as client:
        yield client


class Producer:
    """Commits messages as a use case would."""

    def __init__(self, engine: AsyncEngine, wake: RedisWake) -> None:
        self.unit = PostgresUnitOfWork(
            sessions_of(engine), clock=SystemClock(), ids=UuidV7Ids(), wake=wake
        )

    async def add(self, *texts: str, topic: str = "greet") -> None:
        async with self.unit:
            for text in texts:
                self.unit.outbox.add(topic, Greeting(text))
            await self.unit.commit()


@pytest.fixture
async def producer(
    engine: AsyncEngine, redis: Redis, clean_database: str
) -> AsyncIterator[Producer]:
    wake = RedisWake(redis)
    yield Producer(engine, wake)
    await wake.aclose()


async def eventually(condition: Callable[[], bool], *, timeout_s: float = 15) -> None:
    """Wait until something that happens elsewhere has happened."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
