"""A screen learns of what happens as it happens, once, and of nobody else's business."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.live import MemoryLive, MemoryLiveRecords
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from application.ports.live import (
    GenerationChanged,
    JobCompleted,
    JobFailed,
    JobProgress,
    LiveEvent,
    StepCompleted,
    generations_channel,
    job_channel,
)
from application.studio.news import Newsroom
from domain.media.asset import Asset, AssetPurpose
from entrypoints.http import live as door
from entrypoints.http.live_hub import CONNECTIONS_OF_USER
from entrypoints.http.live_messages import AT_ONCE, MAX_MESSAGE_BYTES
from entrypoints.http.routes.live_events import ROUTER
from entrypoints.http.settings import Pace
from tests.http.asgi import Socket, socket_to
from tests.http.platform.conftest import ADA, Api, Ports, serving

LIVE = "/api/v1/live"
JOB = UUID(int=7)
JOB_CHANNEL = f"job:{JOB}"


PACE = Pace(
    poll_s=0.05,
    doubt_s=0.3,
    tick_s=0.02,
    heartbeat_s=0.2,
    send_within_s=0.5,
    check_token_s=0.05,
    renew_within_s=0.3,
)


def progress(seq: int) -> JobProgress:
    return JobProgress(
        job_id=JOB, progress=seq * 10, current_step="drawing", status="running", seq=seq
    )


class World:
    """Ada's job, what is kept of it, and the feed that tells of it."""

    channel = job_channel(JOB)

    def __init__(self) -> None:
        self.live = MemoryLive()
        self.records = MemoryLiveRecords()
        storage = MemoryStorage(clock=ManualClock())
        self.ports = Ports(newsroom=Newsroom(feed=self.live, records=self.records, storage=storage))

    def record(self, *seqs: int) -> None:
        for seq in seqs:
            self.keep(progress(seq))

    def keep(self, event: LiveEvent) -> None:
        self.records.record(job_channel(JOB), event, owner_id=ADA.user_id)

    async def happens(self, *seqs: int) -> None:
        self.record(*seqs)
        for seq in seqs:
            await self.live.publish(job_channel(JOB), progress(seq))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def live_api(world: World) -> AsyncIterator[Api]:
    async with serving(ports=world.ports, routers=[ROUTER], live=PACE) as api:
        yield api
    assert world.live.channels == 0, "nobody listens any more"


@asynccontextmanager
async def signed_in(api: Api, *, user: str = "ada") -> AsyncIterator[Socket]:
    async with socket_to(api.app, LIVE) as socket:
        await socket.send(type="authenticate", token=user)
        assert await socket.receive() == {"type": "authenticated"}
        yield socket


async def subscribe(socket: Socket, channel: str, *, last_seq: int | None = 0) -> None:
    await socket.send(type="subscribe", channel=channel, last_seq=last_seq)
    answer = await heard(socket)
    assert answer == {"type": "subscribed", "channel": channel, "last_seq": answer["last_seq"]}


async def heard(socket: Socket, *, within_s: float = 5.0) -> Any:
    """The next message that is no heartbeat."""
    while (message := await socket.receive(within_s=within_s)) == {"type": "heartbeat"}:
        pass
    return message


async def seqs(socket: Socket, count: int) -> list[int]:
    return [(await heard(socket))["seq"] for _ in range(count)]


async def test_progress_arrives_as_it_happens(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        await asyncio.sleep(0.05)
        await world.happens(2)

        assert await heard(socket) == {
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
        refused = await heard(socket)
        await world.happens(2)
        await socket.send(type="unsubscribe", channel=JOB_CHANNEL)

        assert refused["error"]["code"] == "not_found"
        assert (await heard(socket))["type"] == "unsubscribed"


async def test_generations_are_those_of_the_user(live_api: Api, world: World) -> None:
    event = GenerationChanged(generation_id=UUID(int=5), status="completed", seq=1)
    async with signed_in(live_api) as ada, signed_in(live_api, user="ben") as ben:
        await subscribe(ada, "generations")
        await subscribe(ben, "generations")
        await asyncio.sleep(0.05)
        world.records.record(generations_channel(ADA.user_id), event)
        await world.live.publish(generations_channel(ADA.user_id), event)

        assert (await heard(ada))["type"] == "generation.changed"
        await ben.send(type="unsubscribe", channel="generations")
        assert (await heard(ben))["type"] == "unsubscribed"


async def test_after_unsubscribing_it_is_quiet(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        await socket.send(type="unsubscribe", channel=JOB_CHANNEL)
        assert (await heard(socket))["type"] == "unsubscribed"
        await world.happens(2)

        with pytest.raises(TimeoutError):
            await heard(socket, within_s=0.1)


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
        assert (await heard(socket))["type"] == "error"

        await subscribe(socket, JOB_CHANNEL)
        assert await seqs(socket, 1) == [1]


async def test_before_signing_in_nothing_is_told(live_api: Api) -> None:
    async with socket_to(live_api.app, LIVE) as socket:
        await socket.send(type="subscribe", channel="orders")
        assert (await heard(socket))["error"]["code"] == "unauthenticated"
        await socket.send(type="authenticate", token="expired")
        assert (await heard(socket))["error"]["code"] == "access_token_expired"


async def test_the_token_may_come_in_the_header(live_api: Api) -> None:
    async with socket_to(live_api.app, LIVE, headers=live_api.as_ada) as socket:
        assert await heard(socket) == {"type": "authenticated"}
        await subscribe(socket, "orders")


async def test_a_large_message_ends_the_connection(live_api: Api) -> None:
    async with signed_in(live_api) as socket:
        await socket.send_text(json.dumps({"type": "x" * MAX_MESSAGE_BYTES}))

        assert await heard(socket) == {"closed": 1009}


async def test_subscriptions_are_limited(live_api: Api, world: World) -> None:
    async with signed_in(live_api) as socket:
        for number in range(door.MAX_SUBSCRIPTIONS):
            channel = job_channel(UUID(int=100 + number))
            event = JobCompleted(job_id=channel.subject, seq=1)
            world.records.record(channel, event, owner_id=ADA.user_id)
            await subscribe(socket, str(channel), last_seq=1)
        await socket.send(type="subscribe", channel="orders")

        assert (await heard(socket))["error"]["code"] == "channel_unknown"


def a_picture() -> Asset:
    return Asset(
        id=UUID(int=9),
        owner_id=ADA.user_id,
        purpose=AssetPurpose.GENERATION,
        content_type="image/png",
        width=8,
        height=8,
        size_bytes=8,
        sha256="0" * 64,
        clean_key="assets/9/clean.png",
        preview_key="assets/9/preview.webp",
        thumbnail_key="assets/9/thumbnail.webp",
        generation_id=JOB,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


async def test_messages_are_limited(live_api: Api) -> None:
    async with signed_in(live_api) as socket:
        for _ in range(int(AT_ONCE) + 20):
            await socket.send(type="unsubscribe", channel="orders")
        answers = []
        while "closed" not in (answer := await heard(socket)):
            answers.append(answer)

        assert answers[-1]["error"]["code"] == "live_messages_exceeded"
        assert answer == {"closed": 4429}


async def test_steps_completed_and_ends_are_told_with_links_for_the_listener(
    live_api: Api, world: World
) -> None:
    step, asset = UUID(int=8), a_picture()
    world.records.assets.append(asset)
    world.keep(
        StepCompleted(
            job_id=JOB, step_id=step, step_type="image_generation", result_asset_id=asset.id, seq=1
        )
    )
    world.keep(JobCompleted(job_id=JOB, seq=2))
    world.keep(JobFailed(job_id=JOB, error_code="expired", error_message="Too long.", seq=3))
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL)
        completed, done, failed = [await heard(socket) for _ in range(3)]

    assert (completed["type"], completed["step_type"]) == ("step.completed", "image_generation")
    assert asset.preview_key is not None
    assert asset.preview_key in completed["result_url"]
    (result,) = done["results"]
    assert (done["type"], result["asset_id"]) == ("job.completed", str(asset.id))
    assert result["url"] == result["preview_url"] == completed["result_url"]
    assert failed == {
        "type": "job.failed",
        "job_id": str(JOB),
        "error": {"code": "expired", "message": "Too long."},
        "seq": 3,
    }


async def test_a_list_is_told_from_now_on_unless_a_number_is_named(
    live_api: Api, world: World
) -> None:
    channel = generations_channel(ADA.user_id)
    for seq in (1, 2, 3):
        event = GenerationChanged(generation_id=UUID(int=5), status="queued", seq=seq)
        world.records.record(channel, event)
    async with signed_in(live_api) as now, signed_in(live_api) as returning:
        await subscribe(returning, "generations", last_seq=1)
        await subscribe(now, "generations", last_seq=None)
        event = GenerationChanged(generation_id=UUID(int=5), status="running", seq=4)
        world.records.record(channel, event)
        await world.live.publish(channel, event)

        assert await seqs(now, 1) == [4]
        assert await seqs(returning, 3) == [2, 3, 4]


async def test_who_comes_back_after_events_were_swept_is_told_to_read_anew(
    live_api: Api, world: World
) -> None:
    world.record(1, 2, 3, 4)
    world.records.forget(job_channel(JOB), until=2)
    async with signed_in(live_api) as socket:
        await subscribe(socket, JOB_CHANNEL, last_seq=1)

        assert await heard(socket) == {"type": "resync", "channel": JOB_CHANNEL}
        assert await seqs(socket, 2) == [3, 4]


async def test_a_number_from_nowhere_harms_nobody_else(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api) as dreamer, signed_in(live_api) as other:
        await subscribe(dreamer, JOB_CHANNEL, last_seq=1_000)
        await subscribe(other, JOB_CHANNEL)
        await world.happens(2)

        assert await seqs(other, 2) == [1, 2]
        with pytest.raises(TimeoutError):
            await heard(dreamer, within_s=0.1)


async def test_an_expired_token_silences_until_a_new_one_comes(live_api: Api, world: World) -> None:
    world.record(1)
    async with signed_in(live_api, user="briefly") as socket:
        await subscribe(socket, JOB_CHANNEL)
        assert await seqs(socket, 1) == [1]
        world.ports.access_tokens.over.add("briefly")
        await asyncio.sleep(PACE.check_token_s)
        await world.happens(2)
        assert (await heard(socket))["error"]["code"] == "access_token_expired"
        await socket.send(type="subscribe", channel="orders")
        assert (await heard(socket))["error"]["code"] == "access_token_expired"
        await socket.send(type="authenticate", token="ben")
        assert (await heard(socket))["error"]["code"] == "live_other_user"
        await socket.send(type="authenticate", token="ada")

        assert await heard(socket) == {"type": "authenticated"}
        assert await seqs(socket, 1) == [2]


async def test_who_sends_no_new_token_is_hung_up_on(live_api: Api, world: World) -> None:
    async with signed_in(live_api, user="briefly") as socket:
        world.ports.access_tokens.over.add("briefly")
        assert (await heard(socket))["error"]["code"] == "access_token_expired"

        assert await heard(socket) == {"closed": 4401}


async def test_silence_has_a_heartbeat(live_api: Api) -> None:
    async with signed_in(live_api) as socket:
        assert await socket.receive(within_s=1) == {"type": "heartbeat"}


async def test_a_client_that_takes_nothing_is_hung_up_on(live_api: Api, world: World) -> None:
    async with socket_to(live_api.app, LIVE, headers=live_api.as_ada, to_client=1) as socket:
        assert await socket.receive() == {"type": "authenticated"}
        world.record(1)
        await subscribe(socket, JOB_CHANNEL)
        await world.happens(*range(2, 2_000))
        await asyncio.sleep(0.1)
        await asyncio.sleep(PACE.send_within_s)
        while "closed" not in (last := await socket.receive()):
            pass

        assert last == {"closed": 4408}


async def test_a_slow_client_is_given_from_the_records_what_memory_no_longer_holds(
    live_api: Api, world: World
) -> None:
    async with socket_to(live_api.app, LIVE, headers=live_api.as_ada, to_client=1) as socket:
        assert await socket.receive() == {"type": "authenticated"}
        world.record(1)
        await subscribe(socket, JOB_CHANNEL)
        await world.happens(*range(2, 1_500))

        assert await seqs(socket, 1_499) == list(range(1, 1_500))


async def test_many_listeners_are_one_subscription_and_few_questions(
    live_api: Api, world: World
) -> None:
    world.record(1, 2, 3)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(signed_in(live_api)) for _ in range(30)]
        await asyncio.gather(*(subscribe(socket, JOB_CHANNEL) for socket in sockets))
        assert [await seqs(socket, 3) for socket in sockets] == [[1, 2, 3]] * 30

        assert world.live.channels == 1
        assert world.records.reads <= 3


async def test_without_a_feed_the_records_are_asked_for_all_channels_together(
    live_api: Api, world: World
) -> None:
    world.live.connected = False
    world.record(1)
    async with signed_in(live_api) as one, signed_in(live_api) as two:
        await subscribe(one, JOB_CHANNEL)
        await subscribe(two, JOB_CHANNEL, last_seq=1)
        await subscribe(two, "orders")
        assert await seqs(one, 1) == [1]
        before = world.records.reads
        await world.happens(2, 3)

        assert await seqs(one, 2) == await seqs(two, 2) == [2, 3]
        await asyncio.sleep(4 * PACE.poll_s)
        assert world.records.reads - before <= 6


async def test_what_was_published_while_the_feed_was_gone_comes_when_it_is_back(
    live_api: Api, world: World
) -> None:
    async with signed_in(live_api) as socket:
        world.record(1)
        await subscribe(socket, JOB_CHANNEL)
        world.live.connected = False
        await world.happens(2)
        world.live.connected = True
        await world.happens(4 - 1)

        assert await seqs(socket, 3) == [1, 2, 3]


async def test_an_event_that_nobody_published_is_told_after_a_while(
    live_api: Api, world: World
) -> None:
    async with signed_in(live_api) as socket:
        world.record(1)
        await subscribe(socket, JOB_CHANNEL, last_seq=1)
        world.record(2)

        assert await seqs(socket, 1) == [2]


async def test_connections_of_one_user_are_limited(live_api: Api, world: World) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS_OF_USER):
            await stack.enter_async_context(signed_in(live_api))
        async with socket_to(live_api.app, LIVE) as socket:
            await socket.send(type="authenticate", token="ada")
            assert (await heard(socket))["error"]["code"] == "live_connections_exceeded"
            assert await heard(socket) == {"closed": 4429}
        answer = await live_api.client.get(
            f"{LIVE}/events", params={"channel": "orders"}, headers=live_api.as_ada
        )
        assert answer.status_code == 429
