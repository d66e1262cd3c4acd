"""What every outbox and every inbox promises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.memory.messages import MemoryInbox
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.engine import sessions_of
from adapters.postgres.messages import PostgresInbox, outbox_messages
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids
from application.ports.messages import Inbox

DUE_AT = datetime(2030, 1, 1, tzinfo=UTC)


class Greeting(msgspec.Struct):
    text: str


class World(NamedTuple):
    """`committed` answers topic, key and body of what other processes can see."""

    unit: MemoryUnitOfWork | PostgresUnitOfWork
    inbox: Inbox
    committed: Callable[[], Awaitable[list[tuple[str, str | None, bytes]]]]


@pytest.fixture
def memory() -> World:
    database = MemoryDatabase()

    async def committed() -> list[tuple[str, str | None, bytes]]:
        return [(one.topic, one.key, msgspec.json.encode(one.body)) for one in database.messages]

    return World(MemoryUnitOfWork(database), MemoryInbox(), committed)


@pytest.fixture
async def postgres(clean_database: str) -> AsyncIterator[World]:
    engine = create_async_engine(clean_database)

    async def committed() -> list[tuple[str, str | None, bytes]]:
        columns = outbox_messages.c
        async with engine.connect() as connection:
            rows = await connection.execute(
                select(columns.topic, columns.key, columns.payload).order_by(columns.id)
            )
            return [(row.topic, row.key, row.payload) for row in rows]

    clock, ids = SystemClock(), UuidV7Ids()
    unit = PostgresUnitOfWork(sessions_of(engine), clock=clock, ids=ids)
    yield World(unit, PostgresInbox(engine, clock=clock, ids=ids), committed)
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


async def test_added_messages_are_there_once_the_unit_commits(world: World) -> None:
    async with world.unit:
        world.unit.outbox.add("greet", Greeting("one"))
        world.unit.outbox.add("greet", Greeting("two"), due_at=DUE_AT)
        assert await world.committed() == []
        await world.unit.commit()
    assert await world.committed() == [
        ("greet", None, b'{"text":"one"}'),
        ("greet", None, b'{"text":"two"}'),
    ]


async def test_a_unit_left_without_commit_leaves_no_message(world: World) -> None:
    async with world.unit:
        world.unit.outbox.add("greet", Greeting("one"))
    async with world.unit:
        await world.unit.commit()
    assert await world.committed() == []


async def test_a_second_commit_does_not_send_twice(world: World) -> None:
    async with world.unit:
        world.unit.outbox.add("greet", Greeting("one"))
        await world.unit.commit()
        await world.unit.commit()
    assert len(await world.committed()) == 1


async def test_one_message_per_topic_and_key_for_ever(world: World) -> None:
    async with world.unit:
        world.unit.outbox.add("greet", Greeting("first"), key="order-1")
        world.unit.outbox.add("greet", Greeting("again"), key="order-1")
        world.unit.outbox.add("greet", Greeting("other"), key="order-2")
        world.unit.outbox.add("settle", Greeting("other topic"), key="order-1")
        await world.unit.commit()
    async with world.unit:
        world.unit.outbox.add("greet", Greeting("later"), key="order-1")
        await world.unit.commit()
    assert [(topic, key) for topic, key, _ in await world.committed()] == [
        ("greet", "order-1"),
        ("greet", "order-2"),
        ("settle", "order-1"),
    ]
    assert (await world.committed())[0][2] == b'{"text":"first"}'


async def test_a_webhook_is_kept_once_per_source(world: World) -> None:
    async def receive(source: str) -> bool:
        return await world.inbox.receive(
            source=source, external_id="evt_1", kind="charge.succeeded", payload=b"{ }"
        )

    assert await receive("stripe")
    assert not await receive("stripe")
    assert await receive("stripe-connect")


async def test_of_simultaneous_deliveries_one_is_kept(world: World) -> None:
    answers = await asyncio.gather(
        *(
            world.inbox.receive(source="fal", external_id="r1", kind="done", payload=b"x")
            for _ in range(20)
        )
    )
    assert sum(answers) == 1
