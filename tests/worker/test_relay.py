"""Rows reach the queue at once, in batches; what the queue does not take, waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.redis.wake import RedisWakeListener
from adapters.system.clock import SystemClock
from application.ports.messages import Message
from entrypoints.worker.broker import Envelope
from entrypoints.worker.relay import Relay
from entrypoints.worker.topic import Topic
from tests.worker.conftest import Producer, eventually


class Sent:
    """A queue that keeps what it is given, while it is open."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.closed = False
        self.asked = 0

    async def send(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        self.asked += 1
        if self.closed:
            return envelopes
        self.envelopes += envelopes
        return []


async def ignore(messages: Sequence[Message]) -> None:
    raise AssertionError("nobody handles anything here")


@contextlib.asynccontextmanager
async def relaying(
    queue: PostgresMessageQueue,
    redis: Redis,
    sender: Sent,
    *,
    poll_s: float = 0.05,
    visibility: timedelta = timedelta(seconds=30),
) -> AsyncIterator[None]:
    relay = Relay(
        topics={"greet": Topic(handle=ignore, batch_size=2)},
        messages=queue,
        sender=sender,
        listener=RedisWakeListener(redis),
        clock=SystemClock(),
        poll_s=poll_s,
        visibility=visibility,
        sweep_every_s=0.05,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_messages_go_out_in_batches_of_their_topic(
    queue: PostgresMessageQueue, producer: Producer, redis: Redis
) -> None:
    sent = Sent()
    await producer.add("one", "two", "three")
    async with relaying(queue, redis, sent):
        await eventually(lambda: len(sent.envelopes) == 2)
    assert [len(envelope.ids) for envelope in sent.envelopes] == [2, 1]
    assert {envelope.queue for envelope in sent.envelopes} == {"default"}


async def test_a_commit_wakes_the_relay_long_before_it_would_look(
    queue: PostgresMessageQueue, producer: Producer, redis: Redis
) -> None:
    sent = Sent()
    async with relaying(queue, redis, sent, poll_s=3):
        await asyncio.sleep(0.1)
        started = asyncio.get_running_loop().time()
        await producer.add("one")
        await eventually(lambda: len(sent.envelopes) == 1)
        assert asyncio.get_running_loop().time() - started < 0.5


async def test_what_the_queue_refuses_waits_and_goes_out_when_it_is_back(
    queue: PostgresMessageQueue, producer: Producer, redis: Redis, views: PostgresMessageViews
) -> None:
    sent = Sent()
    sent.closed = True
    await producer.add("one")
    async with relaying(queue, redis, sent):
        await eventually(lambda: sent.asked > 1)
        [row] = await views.page("outbox")
        assert row.attempts == 0
        sent.closed = False
        await eventually(lambda: len(sent.envelopes) == 1)


async def test_messages_that_the_queue_has_lost_are_sent_again(
    queue: PostgresMessageQueue, producer: Producer, redis: Redis
) -> None:
    sent = Sent()
    await producer.add("one")
    async with relaying(queue, redis, sent, visibility=timedelta(seconds=0.2)):
        await eventually(lambda: len(sent.envelopes) > 1)
    assert sent.envelopes[0] == sent.envelopes[1]


async def test_a_message_that_keeps_failing_goes_alone(
    queue: PostgresMessageQueue, producer: Producer, redis: Redis
) -> None:
    await producer.add("one", "two")
    for _ in range(3):  # three workers die with both
        due = await queue.take_due(
            "outbox",
            rooms={"greet": 9},
            now=SystemClock().now(),
            visibility=timedelta(seconds=30),
        )
        ids = [message.id for message in due]
        await queue.claim("outbox", "greet", ids, lease=timedelta(seconds=-1))
        await queue.sweep("outbox", now=SystemClock().now(), max_attempts=8)
    sent = Sent()
    async with relaying(queue, redis, sent):
        await eventually(lambda: len(sent.envelopes) == 2)
    assert [len(envelope.ids) for envelope in sent.envelopes] == [1, 1]


async def test_without_redis_the_relay_finds_rows_by_looking(
    queue: PostgresMessageQueue, producer: Producer
) -> None:
    sent = Sent()
    async with Redis.from_url("unix:///nowhere.sock") as gone, relaying(queue, gone, sent):
        await producer.add("one")
        await eventually(lambda: len(sent.envelopes) == 1)


@pytest.mark.parametrize("timeout_s", [0.1])
async def test_a_nudge_waits_for_a_busy_relay_and_counts_once(
    redis: Redis, producer: Producer, timeout_s: float
) -> None:
    await producer.add("one")
    await producer.add("two")
    await asyncio.sleep(0.05)
    listener = RedisWakeListener(redis)
    assert await listener.wait(timeout_s)
    assert not await listener.wait(timeout_s)
