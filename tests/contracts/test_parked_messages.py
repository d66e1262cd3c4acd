"""What putting parked messages back to work promises, whoever keeps them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.memory.messages import Parked
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.system.ids import UuidV7Ids
from application.ports.messages import Setback
from tests.builders import NOON
from tests.contracts.test_messages import Greeting
from tests.contracts.units_of_work import NewUnitOfWork

SOON = timedelta(seconds=30)


class World(NamedTuple):
    new_uow: NewUnitOfWork
    park: Callable[[str], Awaitable[UUID]]
    """An outbox message of the topic."""
    parked: Callable[[], Awaitable[set[UUID]]]


@pytest.fixture
def memory() -> World:
    database = MemoryDatabase()

    async def park(topic: str) -> UUID:
        database.parked.append(Parked("outbox", topic, UuidV7Ids().new()))
        return database.parked[-1].id

    async def parked() -> set[UUID]:
        return {one.id for one in database.parked}

    return World(lambda: MemoryUnitOfWork(database), park, parked)


@pytest.fixture
def postgres(postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]) -> World:
    engine: AsyncEngine = sessions.kw["bind"]
    queue, views = PostgresMessageQueue(engine), PostgresMessageViews(engine)

    async def park(topic: str) -> UUID:
        async with (uow := postgres_uow()):
            uow.outbox.add(topic, Greeting("hello"))
            await uow.commit()
        [due] = await queue.take_due("outbox", rooms={topic: 9}, now=NOON, visibility=SOON)
        claim = await queue.claim("outbox", topic, [due.id], lease=SOON)
        assert claim is not None
        lost = Setback(id=due.id, state="parked", due_at=NOON, counted=True, error="No")
        await queue.finish(claim, done=[], setbacks=[lost], now=NOON)
        return due.id

    async def parked() -> set[UUID]:
        return {row.id for row in await views.page("outbox", state="parked")}

    return World(postgres_uow, park, parked)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    chosen: World = request.getfixturevalue(request.param)
    return chosen


async def test_those_named_go_back_to_work(world: World) -> None:
    first, second = await world.park("greet"), await world.park("greet")

    async with (uow := world.new_uow()):
        named = [first, UUID(int=1)]
        assert await uow.parked.redrive("outbox", ids=named, topic=None, now=NOON) == [first]
        assert await uow.parked.redrive("inbox", ids=[second], topic=None, now=NOON) == []
        await uow.commit()

    assert await world.parked() == {second}


async def test_all_of_a_topic_go_back_to_work_or_all_there_are(world: World) -> None:
    greet, mail = await world.park("greet"), await world.park("mail")

    async with (uow := world.new_uow()):
        assert await uow.parked.redrive("outbox", ids=None, topic="mail", now=NOON) == [mail]
        assert await uow.parked.redrive("outbox", ids=None, topic=None, now=NOON) == [greet]
        await uow.commit()

    assert await world.parked() == set()


async def test_without_a_commit_they_stay_parked(world: World) -> None:
    greet = await world.park("greet")

    async with (uow := world.new_uow()):
        await uow.parked.redrive("outbox", ids=None, topic=None, now=NOON)

    assert await world.parked() == {greet}
