"""What every pair of `LiveEvents` and `LiveFeed` promises, and how Redis's survives an outage."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.memory.live import MemoryLive
from adapters.redis.live import RedisLiveEvents, RedisLiveFeed, live_client
from application.ports.live import (
    Channel,
    JobProgress,
    LiveEvents,
    LiveFeed,
    OrderChanged,
    Subscription,
    job_channel,
    orders_channel,
)
from entrypoints.local.redis import EmbeddedRedis

JOB = UUID(int=7)


def progress(seq: int) -> JobProgress:
    return JobProgress(
        job_id=JOB, progress=seq * 10, current_step="drawing", status="running", seq=seq
    )


@dataclass
class Live:
    events: LiveEvents
    feed: LiveFeed


@pytest.fixture
def memory() -> Live:
    live = MemoryLive()
    return Live(live, live)


@pytest.fixture
async def valkey(redis_url: str) -> AsyncIterator[Live]:
    client = live_client(redis_url)
    feed = RedisLiveFeed(client)
    yield Live(RedisLiveEvents(client), feed)
    await feed.close()
    await client.aclose()


@pytest.fixture(params=["memory", "valkey"])
def live(request: pytest.FixtureRequest) -> Live:
    pair: Live = request.getfixturevalue(request.param)
    return pair


@pytest.fixture
def channel() -> Channel:
    """Of this test alone: the channels of one server are shared by all."""
    return job_channel(uuid4())


async def received(subscription: Subscription, count: int) -> list[int]:
    events = [await subscription.next(timeout_s=2) for _ in range(count)]
    return [event.seq for event in events if event is not None]


async def test_what_is_published_arrives_in_order(live: Live, channel: Channel) -> None:
    async with live.feed.subscribe(channel) as subscription:
        for seq in range(1, 4):
            await live.events.publish(channel, progress(seq))

        assert await subscription.next(timeout_s=2) == progress(1)
        assert await received(subscription, 2) == [2, 3]
        assert subscription.connected


async def test_every_listener_hears_it_and_nobody_else_does(live: Live, channel: Channel) -> None:
    elsewhere = job_channel(uuid4())
    async with (
        live.feed.subscribe(channel) as one,
        live.feed.subscribe(channel) as two,
        live.feed.subscribe(elsewhere) as other,
    ):
        await live.events.publish(channel, progress(1))

        assert await received(one, 1) == await received(two, 1) == [1]
        assert await other.next(timeout_s=0.1) is None


async def test_silence_is_none(live: Live, channel: Channel) -> None:
    async with live.feed.subscribe(channel) as subscription:
        assert await subscription.next(timeout_s=0.05) is None


async def test_what_was_published_before_is_not_heard(live: Live, channel: Channel) -> None:
    await live.events.publish(channel, progress(1))
    async with live.feed.subscribe(channel) as subscription:
        assert await subscription.next(timeout_s=0.1) is None


async def test_one_may_leave_and_come_back(live: Live, channel: Channel) -> None:
    async with live.feed.subscribe(channel) as stays:
        async with live.feed.subscribe(channel):
            pass
        await live.events.publish(channel, progress(1))
        assert await received(stays, 1) == [1]
    async with live.feed.subscribe(channel) as again:
        await live.events.publish(channel, progress(2))
        assert await received(again, 1) == [2]


async def test_a_slow_listener_loses_the_oldest_events(live: Live, channel: Channel) -> None:
    async with live.feed.subscribe(channel) as slow:
        for seq in range(1, 151):
            await live.events.publish(channel, progress(seq))
        await asyncio.sleep(0.2)
        first = await slow.next(timeout_s=2)

        assert first is not None
        assert first.seq == 51


async def test_every_kind_of_event_keeps_its_type(live: Live) -> None:
    channel = orders_channel(uuid4())
    event = OrderChanged(order_id=UUID(int=3), status="paid", seq=1)
    async with live.feed.subscribe(channel) as subscription:
        await live.events.publish(channel, event)

        assert await subscription.next(timeout_s=2) == event


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.03)
    raise TimeoutError


async def test_the_feed_comes_back_after_redis_does(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    await asyncio.to_thread(server.start)
    client = live_client(server.url)
    events, feed = RedisLiveEvents(client), RedisLiveFeed(client)
    channel = job_channel(JOB)
    try:
        async with feed.subscribe(channel) as subscription:
            await events.publish(channel, progress(1))
            assert await received(subscription, 1) == [1]

            await asyncio.to_thread(server.stop)
            await until(lambda: not subscription.connected)
            await events.publish(channel, progress(2))  # lost, and nobody is hurt

            await asyncio.to_thread(server.start)
            await until(lambda: subscription.connected)
            await events.publish(channel, progress(3))
            assert await received(subscription, 1) == [3]
    finally:
        await feed.close()
        await client.aclose()
        with suppress(Exception):
            await asyncio.to_thread(server.stop)


async def test_an_unreachable_redis_delays_nobody() -> None:
    client = live_client("redis://127.0.0.1:1/0")
    feed = RedisLiveFeed(client)
    async with asyncio.timeout(5):
        await RedisLiveEvents(client).publish(job_channel(JOB), progress(1))
        async with feed.subscribe(job_channel(JOB)) as subscription:
            assert not subscription.connected
            assert await subscription.next(timeout_s=0.05) is None
    await feed.close()
    await client.aclose()
