"""A screen learns of what happens as it happens, once, and of nobody else's business."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from adapters.memory.live import MemoryJobProgress, MemoryLive
from application.ports.live import (
    Channel,
    GenerationChanged,
    JobProgress,
    LiveEvent,
    Subscription,
    generations_channel,
    job_channel,
    orders_channel,
)
from entrypoints.http import live as door
from entrypoints.http.live_channels import follow
from tests.http.asgi import Socket, socket_to
from tests.http.platform.conftest import ADA, Api, Ports, serving

LIVE = "/api/v1/live"
JOB = UUID(int=7)
JOB_CHANNEL = f"job:{JOB}"


def progress(seq: int) -> JobProgress:
    return JobProgress(
        job_id=JOB, progress=seq * 10, current_step="drawing", status="running", seq=seq
    )


class World:
    """Ada's job, its recorded progress, and the feed that tells of it."""

    def __init__(self) -> None:
        self.live = MemoryLive()
        self.jobs = MemoryJobProgress()
        self.ports = Ports(live_feed=self.live, job_progress=self.jobs)

    def record(self, *seqs: int) -> None:
        for seq in seqs:
            self.jobs.record(ADA.user_id, progress(seq))

    async def happens(self, *seqs: int) -> None:
        self.record(*seqs)
        for seq in seqs:
            await self.live.publish(job_channel(JOB), progress(seq))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def live_api(world: World) -> AsyncIterator[Api]:
    async with serving(ports=world.ports) as api:
        yield api


@asynccontextmanager
async def signed_in(api: Api, *, user: str = "ada") -> AsyncIterator[Socket]:
    async with socket_to(api.app, LIVE) as socket:
        await socket.send(type="authenticate", token=user)
        assert await socket.receive() == {"type": "authenticated"}
        yield socket


async def subscribe(socket: Socket, channel: str, *, last_seq: int = 0) -> None:
    await socket.send(type="subscribe", channel=channel, last_seq=last_seq)
    assert await socket.receive() == {"type": "subscribed", "channel": channel}


async def seqs(socket: Socket, count: int) -> list[int]:
    return [(await socket.receive())["seq"] for _ in range(count)]


async def test_progress_arrives_as_it_happens(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        await asyncio.sleep(0.05)
        await world.happens(2)

        assert await socket.receive() == {
            "type": "job.progress",
            "job_id": str(JOB),
            "progress": 20,
            "current_step": "drawing",
            "status": "running",
            "seq": 2,
        }


async def test_what_was_missed_comes_first_and_nothing_comes_twice(
    live_api: Api, world: World
) -> None:
    world.record(1, 2, 3)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        assert await seqs(socket, 2) == [2, 3]
        await world.live.publish(job_channel(JOB), progress(3))
        await world.happens(4)

        assert await seqs(socket, 1) == [4]


async def test_an_event_that_got_lost_is_made_up_for(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL)
        assert await seqs(socket, 1) == [1]
        world.record(2, 3)  # recorded, but never published
        await world.happens(4)

        assert await seqs(socket, 3) == [2, 3, 4]


async def test_another_users_job_does_not_exist(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api, user="ben") as socket:
        await socket.send(type="subscribe", channel=JOB_CHANNEL)
        refused = await socket.receive()
        await world.happens(2)
        await socket.send(type="unsubscribe", channel=JOB_CHANNEL)

        assert refused["error"]["code"] == "not_found"
        assert (await socket.receive())["type"] == "unsubscribed"


async def test_generations_are_those_of_the_user(live_api: Api, world: World) -> None:
    event = GenerationChanged(generation_id=UUID(int=5), status="completed", seq=1)
    async with signed_in(live_api) as ada, signed_in(live_api, user="ben") as ben:
        await subscribe(ada, "generations")
        await subscribe(ben, "generations")
        await asyncio.sleep(0.05)
        await world.live.publish(generations_channel(ADA.user_id), event)

        assert (await ada.receive())["type"] == "generation.changed"
        await ben.send(type="unsubscribe", channel="generations")
        assert (await ben.receive())["type"] == "unsubscribed"


async def test_after_unsubscribing_it_is_quiet(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        await socket.send(type="unsubscribe", channel=JOB_CHANNEL)
        assert (await socket.receive())["type"] == "unsubscribed"
        await world.happens(2)

        with pytest.raises(TimeoutError):
            await socket.receive(within_s=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '{"type": "shutdown"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "channel": 5}',
        '{"type": "subscribe", "channel": "job:not-a-uuid"}',
        '{"type": "subscribe", "channel": "everything"}',
        '{"type": "subscribe", "channel": "generations:somebody-else"}',
        '{"type": "authenticate", "token": "nobody"}',
        "[" * 3000,
        "\ud800",
    ],
)
async def test_a_bad_message_is_refused_and_changes_nothing(
    live_api: Api, world: World, text: str
) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await socket.send_text(text)
        assert (await socket.receive())["type"] == "error"

        await subscribe(socket, JOB_CHANNEL)
        assert await seqs(socket, 1) == [1]


async def test_before_signing_in_nothing_is_told(live_api: Api) -> None:
    async with socket_to(live_api.app, LIVE) as socket:
        await socket.send(type="subscribe", channel="orders")
        assert (await socket.receive())["error"]["code"] == "unauthenticated"
        await socket.send(type="authenticate", token="expired")
        assert (await socket.receive())["error"]["code"] == "access_token_expired"


async def test_the_token_may_come_in_the_header(live_api: Api) -> None:
    async with socket_to(live_api.app, LIVE, headers=live_api.as_ada) as socket:
        assert await socket.receive() == {"type": "authenticated"}
        await subscribe(socket, "orders")


async def test_a_large_message_ends_the_connection(live_api: Api) -> None:
    async with signed_in(live_api) as socket:
        await socket.send_text(json.dumps({"type": "x" * door.MAX_MESSAGE_BYTES}))

        assert await socket.receive() == {"closed": 1009}


async def test_subscriptions_are_limited(live_api: Api, world: World) -> None:
    async with signed_in(live_api) as socket:
        for number in range(door.MAX_SUBSCRIPTIONS):
            job_id = UUID(int=100 + number)
            event = JobProgress(job_id=job_id, progress=0, current_step="", status="", seq=0)
            world.jobs.record(ADA.user_id, event)
            await socket.send(type="subscribe", channel=f"job:{job_id}")
            assert (await socket.receive())["type"] == "subscribed"
        await socket.send(type="subscribe", channel="orders")

        assert (await socket.receive())["error"]["code"] == "channel_unknown"


class DeadSubscription:
    """A subscription whose connection is gone, and comes back when told."""

    def __init__(self) -> None:
        self.connected = False

    async def next(self, *, timeout_s: float) -> LiveEvent | None:
        await asyncio.sleep(0.01)
        return None


class DeadFeed:
    def __init__(self) -> None:
        self.subscription = DeadSubscription()

    @asynccontextmanager
    async def subscribe(self, channel: Channel) -> AsyncIterator[Subscription]:
        yield self.subscription


async def test_without_a_feed_the_records_are_read_now_and_then(world: World) -> None:
    sent: list[int] = []

    async def send(event: LiveEvent) -> None:
        sent.append(event.seq)

    async def resync() -> None:
        raise AssertionError("a job catches up by itself")

    world.record(1)
    following = asyncio.create_task(
        follow(
            DeadFeed(),
            world.jobs,
            topic=job_channel(JOB),
            job_id=JOB,
            last_seq=0,
            viewer=ADA,
            send=send,
            resync=resync,
        )
    )
    await asyncio.sleep(0.05)
    world.record(2, 3)
    await asyncio.sleep(0.05)
    following.cancel()

    assert sent == [1, 2, 3]


async def test_after_an_outage_lists_are_told_to_read_again(world: World) -> None:
    feed = DeadFeed()
    told = asyncio.Event()

    async def send(event: LiveEvent) -> None:
        raise AssertionError("nothing happened")

    async def resync() -> None:
        told.set()

    following = asyncio.create_task(
        follow(
            feed,
            world.jobs,
            topic=orders_channel(ADA.user_id),
            job_id=None,
            last_seq=0,
            viewer=ADA,
            send=send,
            resync=resync,
        )
    )
    await asyncio.sleep(0.05)
    assert not told.is_set()
    feed.subscription.connected = True
    async with asyncio.timeout(2):
        await told.wait()
    following.cancel()
