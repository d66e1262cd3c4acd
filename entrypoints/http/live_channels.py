"""Following one channel: first what was missed, then what happens, each event once.

Live events may be lost and come twice; `seq` tells. A gap, a lost connection to the feed and a
long silence all end in the same question to the views, which hold the truth.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from application.ports.live import Channel as Topic
from application.ports.live import (
    GenerationChanged,
    JobProgressViews,
    LiveEvent,
    LiveFeed,
    OrderChanged,
    generations_channel,
    job_channel,
    orders_channel,
)
from domain.identity.actor import Actor
from domain.shared.errors import Invalid

POLL_S = 2.0
"""How often the views are asked while no live events arrive."""
DOUBT_AFTER_S = 15.0
"""After so long a silence the views are asked in any case."""


class UnknownChannel(Invalid):
    """There is no such channel, or one connection has too many of them."""

    code = "channel_unknown"


@dataclass(frozen=True, slots=True)
class Channel:
    topic: Topic
    job_id: UUID | None = None


def parse_channel(name: str, actor: Actor) -> Channel:
    """What a client's channel name means for `actor`. Raises UnknownChannel."""
    match name.split(":", 1):
        case ["generations"]:
            return Channel(generations_channel(actor.user_id))
        case ["orders"]:
            return Channel(orders_channel(actor.user_id))
        case ["job", text]:
            try:
                job_id = UUID(text)
            except ValueError:
                raise UnknownChannel("A job's id is a UUID.") from None
            return Channel(job_channel(job_id), job_id)
    raise UnknownChannel("Channels are job:{id}, generations and orders.")


async def follow(
    feed: LiveFeed,
    jobs: JobProgressViews,
    *,
    topic: Topic,
    job_id: UUID | None,
    last_seq: int,
    viewer: Actor,
    send: Callable[[LiveEvent], Awaitable[None]],
    resync: Callable[[], Awaitable[None]],
) -> None:
    """Send the events of `topic` until cancelled.

    A job's events start after `last_seq`, and none is left out. Of other topics only what arrives
    is sent; `resync` says that something may have been missed. Raises NotFound for a job that
    `viewer` may not see.
    """
    seen: dict[UUID, int] = {} if job_id is None else {job_id: last_seq}

    async def catch_up() -> None:
        if job_id is None:
            await resync()
            return
        for event in await jobs.events_after(job_id, seen[job_id], viewer):
            await send_new(event)

    async def send_new(event: LiveEvent) -> None:
        about = _subject(event)
        if event.seq > seen.get(about, -1):
            seen[about] = event.seq
            await send(event)

    async with feed.subscribe(topic) as subscription:
        connected = subscription.connected
        asked_s = monotonic()
        if job_id is not None:
            await catch_up()
        while True:
            event = await subscription.next(timeout_s=POLL_S)
            came_back = subscription.connected and not connected
            gap = job_id is not None and event is not None and event.seq > seen[job_id] + 1
            silence = job_id is not None and monotonic() - asked_s > DOUBT_AFTER_S
            polling = job_id is not None and not subscription.connected
            if came_back or gap or silence or polling:
                await catch_up()
                asked_s = monotonic()
            connected = subscription.connected
            if event is not None:
                await send_new(event)
                asked_s = monotonic()


def _subject(event: LiveEvent) -> UUID:
    match event:
        case GenerationChanged(generation_id=subject):
            return subject
        case OrderChanged(order_id=subject):
            return subject
        case _:
            return event.job_id
