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
    LiveEvent,
    LiveEvents,
    LiveFeed,
    OrderChanged,
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


class Ear:
    """What has been heard."""

    def __init__(self) -> None:
        self.events: list[LiveEvent] = []
        self._news = asyncio.Event()

    def hear(self, event: LiveEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def seqs(self, count: int) -> list[int]:
        """The numbers so far, as soon as there are that many."""
        async with asyncio.timeout(2):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return [event.seq for event in self.events]


async def test_what_is_published_arrives_in_order(live: Live, channel: Channel) -> None:
    ear = Ear()
    await live.feed.listen(channel, ear.hear)
    for seq in range(1, 4):
        await live.events.publish(channel, progress(seq))

    assert await ear.seqs(3) == [1, 2, 3]
    assert ear.events[0] == progress(1)
    assert live.feed.connected


async def test_every_listener_hears_it_and_nobody_else_does(live: Live, channel: Channel) -> None:
    one, two, other = Ear(), Ear(), Ear()
    await live.feed.listen(channel, one.hear)
    await live.feed.listen(channel, two.hear)
    await live.feed.listen(job_channel(uuid4()), other.hear)
    await live.events.publish(channel, progress(1))

    assert await one.seqs(1) == await two.seqs(1) == [1]
    await asyncio.sleep(0.05)
    assert other.events == []


async def test_what_was_published_before_is_not_heard(live: Live, channel: Channel) -> None:
    ear = Ear()
    await live.events.publish(channel, progress(1))
    await live.feed.listen(channel, ear.hear)
    await live.events.publish(channel, progress(2))

    assert await ear.seqs(1) == [2]


async def test_one_may_leave_and_come_back(live: Live, channel: Channel) -> None:
    stays, goes = Ear(), Ear()
    await live.feed.listen(channel, stays.hear)
    await live.feed.listen(channel, goes.hear)
    await live.feed.leave(channel, goes.hear)
    await live.events.publish(channel, progress(1))
    assert await stays.seqs(1) == [1]

    await live.feed.leave(channel, stays.hear)
    await live.feed.listen(channel, goes.hear)
    await live.events.publish(channel, progress(2))
    assert await goes.seqs(1) == [2]
    assert len(stays.events) == 1


async def test_leaving_and_listening_at_once_loses_nobody(live: Live, channel: Channel) -> None:
    first, second = Ear(), Ear()
    await live.feed.listen(channel, first.hear)
    await asyncio.gather(
        live.feed.leave(channel, first.hear), live.feed.listen(channel, second.hear)
    )
    await live.events.publish(channel, progress(1))

    assert await second.seqs(1) == [1]


async def test_every_kind_of_event_keeps_its_type(live: Live) -> None:
    channel, ear = orders_channel(uuid4()), Ear()
    event = OrderChanged(order_id=UUID(int=3), status="paid", seq=1)
    await live.feed.listen(channel, ear.hear)
    await live.events.publish(channel, event)

    await ear.seqs(1)
    assert ear.events == [event]


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
    ear = Ear()
    try:
        await feed.listen(channel, ear.hear)
        await events.publish(channel, progress(1))
        assert await ear.seqs(1) == [1]

        await asyncio.to_thread(server.stop)
        await until(lambda: not feed.connected)
        await events.publish(channel, progress(2))  # lost, and nobody is hurt

        await asyncio.to_thread(server.start)
        await until(lambda: feed.connected)
        await events.publish(channel, progress(3))
        assert await ear.seqs(2) == [1, 3]
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
        await feed.listen(job_channel(JOB), Ear().hear)
        assert not feed.connected
    await feed.close()
    await client.aclose()
