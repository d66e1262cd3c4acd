"""Server-sent events say what the WebSocket says, to clients that can only read."""

import pytest

from tests.http.asgi import stream_of
from tests.http.platform.conftest import Api
from tests.http.platform.test_live import (
    JOB,
    JOB_CHANNEL,
    World,
    live_api,
    progress,
    world,
)

__all__ = ["live_api", "world"]

EVENTS = "/api/v1/live/events"
OF_JOB = f"channel={JOB_CHANNEL}"


async def test_what_was_is_told_first_and_then_what_happens(live_api: Api, world: World) -> None:
    world.record(1, 2)
    async with stream_of(live_api.app, EVENTS, query=OF_JOB, headers=live_api.as_ada) as stream:
        assert [(await stream.event())[0] for _ in range(2)] == [1, 2]
        await world.happens(3)
        seq, told = await stream.event()

    assert (seq, told) == (
        3,
        {
            "type": "job.progress",
            "job_id": str(JOB),
            "progress": progress(3).progress,
            "current_step": "drawing",
            "status": "running",
            "seq": 3,
        },
    )


async def test_it_passes_proxies_and_compression_at_once(live_api: Api, world: World) -> None:
    world.record(1)
    headers = {**live_api.as_ada, "Accept-Encoding": "br, gzip"}
    async with stream_of(live_api.app, EVENTS, query=OF_JOB, headers=headers) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "no-transform" in stream.headers["cache-control"]
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        assert "content-length" not in stream.headers
        assert await stream.block() == {"retry": "2000"}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (f"{OF_JOB}&last_seq=2", {}),
        (OF_JOB, {"Last-Event-ID": "2"}),
        (f"{OF_JOB}&last_seq=0", {"Last-Event-ID": "2"}),
    ],
)
async def test_who_comes_back_goes_on_from_there(
    live_api: Api, world: World, query: str, headers: dict[str, str]
) -> None:
    world.record(1, 2, 3)
    async with stream_of(
        live_api.app, EVENTS, query=query, headers={**live_api.as_ada, **headers}
    ) as stream:
        assert (await stream.event())[0] == 3


async def test_silence_has_a_heartbeat(live_api: Api, world: World) -> None:
    world.record(1)
    async with stream_of(
        live_api.app, EVENTS, query=f"{OF_JOB}&last_seq=1", headers=live_api.as_ada
    ) as stream:
        assert await stream.block() == {"retry": "2000"}
        for _ in range(3):
            assert await stream.block(within_s=1) == {"": "heartbeat"}


async def test_the_stream_ends_with_the_token(live_api: Api, world: World) -> None:
    world.record(1)
    async with stream_of(
        live_api.app, EVENTS, query=OF_JOB, headers={"Authorization": "Bearer briefly"}
    ) as stream:
        assert (await stream.event())[0] == 1
        world.ports.access_tokens.over.add("briefly")
        _, told = await stream.event()
        assert told["error"]["code"] == "access_token_expired"
        await stream.block()
        assert stream.ended


async def test_swept_events_are_admitted(live_api: Api, world: World) -> None:
    world.record(1, 2, 3)
    world.records.forget(world.channel, until=2)
    async with stream_of(live_api.app, EVENTS, query=OF_JOB, headers=live_api.as_ada) as stream:
        assert await stream.event() == (None, {"type": "resync", "channel": JOB_CHANNEL})
        assert (await stream.event())[0] == 3


async def test_who_takes_nothing_holds_up_nobody(live_api: Api, world: World) -> None:
    world.record(1)
    async with (
        stream_of(live_api.app, EVENTS, query=OF_JOB, headers=live_api.as_ada),
        stream_of(live_api.app, EVENTS, query=OF_JOB, headers=live_api.as_ada) as reads,
    ):
        await world.happens(*range(2, 700))
        assert [(await reads.event())[0] for _ in range(699)] == list(range(1, 700))


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        (OF_JOB, {}, 401, "unauthenticated"),
        (OF_JOB, {"Authorization": "Bearer expired"}, 401, "access_token_expired"),
        (OF_JOB, {"Authorization": "Bearer ben"}, 404, "not_found"),
        ("channel=everything", {"Authorization": "Bearer ada"}, 400, "channel_unknown"),
        ("channel=job:7", {"Authorization": "Bearer ada"}, 400, "channel_unknown"),
        ("", {"Authorization": "Bearer ada"}, 400, "invalid"),
        (f"{OF_JOB}&last_seq=-1", {"Authorization": "Bearer ada"}, 400, "invalid"),
        (
            OF_JOB,
            {"Authorization": "Bearer ada", "Last-Event-ID": "x"},
            400,
            "invalid",
        ),
    ],
)
async def test_who_may_not_is_refused_as_everywhere(
    live_api: Api, world: World, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    world.record(1)
    answer = await live_api.client.get(f"{EVENTS}?{query}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
