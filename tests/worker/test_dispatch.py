"""A message goes from claimed to finished, or to a person, whatever its handler does."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.system.clock import SystemClock
from application.messaging.redrive import Redrive, redrive
from application.ports.messages import Handler, Message
from domain.shared.errors import Invalid
from entrypoints.worker.dispatch import Dispatcher
from entrypoints.worker.topic import Topic
from tests.worker.conftest import Producer

SOON = timedelta(seconds=30)


class Worker:
    """Takes and handles what is due, without a queue between, as if it were always the next day."""

    def __init__(self, queue: PostgresMessageQueue, handler: Handler) -> None:
        self.clock = ManualClock(SystemClock().now())
        self._queue = queue
        self._dispatcher = Dispatcher(
            topics={"greet": Topic(handle=handler)}, messages=queue, clock=self.clock
        )

    async def take(self) -> list[str]:
        self.clock.advance(timedelta(hours=1, seconds=1))
        due = await self._queue.take_due(
            "outbox", rooms={"greet": 100}, now=self.clock.now(), visibility=SOON
        )
        return [str(message.id) for message in due]

    async def dispatch(self, ids: list[str]) -> None:
        await self._dispatcher.dispatch("outbox", "greet", ids)


async def test_the_neighbours_of_a_poison_message_are_done(
    queue: PostgresMessageQueue, producer: Producer, views: PostgresMessageViews
) -> None:
    async def handler(messages: Sequence[Message]) -> None:
        if any(b"poison" in message.payload for message in messages):
            raise ValueError("cannot read this")

    await producer.add("one", "poison", "three")
    worker = Worker(queue, handler)
    await worker.dispatch(await worker.take())
    rows = await views.page("outbox")
    assert sorted(row.state for row in rows) == ["done", "done", "pending"]
    [failed] = [row for row in rows if row.state == "pending"]
    assert failed.attempts == 1
    assert failed.last_error is not None
    assert failed.last_error.startswith("ValueError in handler")


async def test_eight_failures_park_and_a_redrive_begins_anew(
    queue: PostgresMessageQueue, producer: Producer, views: PostgresMessageViews
) -> None:
    broken = True

    async def handler(messages: Sequence[Message]) -> None:
        if broken:
            raise ValueError("the other side is broken")

    await producer.add("one")
    worker = Worker(queue, handler)
    for _ in range(8):
        await worker.dispatch(await worker.take())
    assert await worker.take() == []
    [row] = await views.page("outbox", state="parked")
    assert row.attempts == 8

    broken = False
    command = Redrive(box="outbox", all_parked=True)
    answer = await redrive(command, actor="an operator", uow=producer.unit, clock=worker.clock)
    assert answer.ids == [row.id]
    await worker.dispatch(await worker.take())
    [row] = await views.page("outbox")
    assert (row.state, row.attempts) == ("done", 1)


async def test_the_same_queue_message_twice_is_handled_once(
    queue: PostgresMessageQueue, producer: Producer
) -> None:
    handled: list[UUID] = []

    async def handler(messages: Sequence[Message]) -> Mapping[UUID, Exception] | None:
        handled.extend(message.id for message in messages)
        return None

    await producer.add("one", "two")
    worker = Worker(queue, handler)
    ids = await worker.take()
    await worker.dispatch(ids)
    await worker.dispatch(ids)
    assert sorted(str(one) for one in handled) == sorted(ids)


@pytest.mark.parametrize(
    "command", [Redrive(box="inbox"), Redrive(box="inbox", ids=[UUID(int=1)], all_parked=True)]
)
async def test_a_redrive_must_say_what(command: Redrive) -> None:
    uow = MemoryUnitOfWork(MemoryDatabase())
    with pytest.raises(Invalid):
        await redrive(command, actor="an operator", uow=uow, clock=ManualClock())
