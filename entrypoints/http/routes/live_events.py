"""GET /api/v1/live/events: one channel as server-sent events, with the content of the WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from time import monotonic
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, QueryParameter, SkipValidation
from litestar.response import Stream

from application.ports.live import MAX_SEQ, Channel
from application.ports.tokens import AccessTokens
from application.studio.news import Newsroom
from domain.shared.errors import LikenessError, NotFound
from entrypoints import metrics
from entrypoints.http.authentication import bearer_token
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.errors import errors
from entrypoints.http.live_channels import Pass, UnknownChannel, default_start, parse_channel
from entrypoints.http.live_hub import Follower, Hub, LiveConnectionsExceeded
from entrypoints.http.parameters import TheClock

RETRY_MS = 2_000
HEARTBEAT = b": heartbeat\n\n"
HEADERS = {
    "Cache-Control": "no-cache, no-store, no-transform",
    "X-Accel-Buffering": "no",  # a proxy that waits for more would keep the news to itself
}
STREAM = ResponseSpec(
    str,
    media_type="text/event-stream",
    description="A stream that stays open: `id` is the event's `seq`, `data` the event as JSON.",
    generate_examples=False,
    examples=[
        Example(
            summary="Half done",
            value='id: 5\ndata: {"type": "job.progress", "progress": 50, "seq": 5}\n\n',
        )
    ],
)

TheHub = NamedDependency[SkipValidation[Hub]]
TheNewsroom = NamedDependency[SkipValidation[Newsroom]]
TheTokens = NamedDependency[SkipValidation[AccessTokens]]


@get(
    "/events",
    responses={200: STREAM, **errors(NotFound, UnknownChannel, LiveConnectionsExceeded)},
)
async def follow_events(
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    channel: Annotated[
        str,
        QueryParameter(
            max_length=60,
            min_length=1,
            description="`job:{id}`, `generations`, `orders` or `uploads`",
        ),
    ],
    live_hub: TheHub,
    newsroom: TheNewsroom,
    access_tokens: TheTokens,
    clock: TheClock,
    last_seq: Annotated[
        int | None,
        QueryParameter(ge=0, le=MAX_SEQ, description="Tell what came after that event."),
    ] = None,
    last_event_id: Annotated[
        int | None,
        HeaderParameter(
            name="Last-Event-ID",
            ge=0,
            le=MAX_SEQ,
            description="The same, as browsers send it; it counts before `last_seq`.",
        ),
    ] = None,
) -> Stream:
    """What happens in one channel, as server-sent events, until the client goes.

    Without a number, a job is told from its beginning and a list from now on. The stream ends when
    the access token expires: come back with a new one, and with the last `id` that was heard.
    """
    followed = parse_channel(channel, actor)
    await newsroom.records.require_viewer(followed, actor)
    with live_hub.connection_of(actor.user_id):
        pass  # refused here it is a 429; what is held, the stream holds
    after = last_seq if last_event_id is None else last_event_id
    holder = Pass(
        bearer_token(request.scope) or "",
        tokens=access_tokens,
        now=clock.now,
        check_every_s=live_hub.pace.check_token_s,
    )
    told = _told(
        live_hub,
        followed,
        name=channel,
        after=default_start(followed) if after is None else after,
        holder=holder,
    )
    return Stream(told, status_code=200, media_type="text/event-stream", headers=HEADERS)


async def _told(
    hub: Hub, channel: Channel, *, name: str, after: int | None, holder: Pass
) -> AsyncIterator[bytes]:
    """Takes hold of nothing before it is asked for its first line."""
    wake = asyncio.Event()
    ends_s = monotonic() + hub.pace.connected_at_most_s
    yield f"retry: {RETRY_MS}\n\n".encode()
    with metrics.LIVE_CONNECTIONS.track_inprogress(), ExitStack() as held:
        try:
            held.enter_context(hub.connection_of(holder.actor.user_id))
            follower = await hub.join(channel, after=after, wake=wake.set)
            held.callback(hub.leave, follower)
            yield HEARTBEAT
            while monotonic() < ends_s:
                holder.check_if_due()
                async for line in _lines_of(hub, follower, name, holder):
                    yield line
                if follower.has_news:
                    continue
                try:
                    async with asyncio.timeout(min(hub.pace.heartbeat_s, ends_s - monotonic())):
                        await wake.wait()
                except TimeoutError:
                    yield HEARTBEAT
                wake.clear()
        except LikenessError as error:
            yield _data({"type": "error", "error": {"code": error.code, "message": error.message}})


async def _lines_of(hub: Hub, follower: Follower, name: str, holder: Pass) -> AsyncIterator[bytes]:
    news = await follower.next()
    if news.missed:
        yield _data({"type": "resync", "channel": name})
    for entry in news.entries:
        text = entry.text or await hub.text_of(entry, holder.actor.user_id)
        yield f"id: {entry.event.seq}\ndata: {text}\n\n".encode()


def _data(message: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(message) + b"\n\n"


ROUTER = Router("/api/v1/live", route_handlers=[follow_events], tags=["Live"])
