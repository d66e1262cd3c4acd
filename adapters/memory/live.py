"""Live events within one process, and what is kept of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from application.ports.live import (
    Channel,
    JobEvent,
    LiveEvent,
    Told,
    UserEvent,
    channel_of,
    with_seq,
)
from domain.identity.actor import Actor
from domain.shared.errors import NotFound

BACKLOG = 100


class _Subscription:
    connected = True

    def __init__(self) -> None:
        self._events: asyncio.Queue[LiveEvent] = asyncio.Queue(BACKLOG)

    def put(self, event: LiveEvent) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)

    async def next(self, *, timeout_s: float) -> LiveEvent | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._events.get()
        except TimeoutError:
            return None


class MemoryLive:
    """See `LiveEvents` and `LiveFeed` in `application.ports.live`."""

    def __init__(self) -> None:
        self._listeners: defaultdict[Channel, set[_Subscription]] = defaultdict(set)

    async def publish(self, channel: Channel, event: LiveEvent) -> None:
        for listener in self._listeners.get(channel, ()):
            listener.put(event)

    @asynccontextmanager
    async def subscribe(self, channel: Channel) -> AsyncIterator[_Subscription]:
        subscription = _Subscription()
        self._listeners[channel].add(subscription)
        try:
            yield subscription
        finally:
            self._listeners[channel].discard(subscription)
            if not self._listeners[channel]:
                del self._listeners[channel]


class MemoryJobProgress:
    """See `application.ports.live.JobProgressViews`."""

    def __init__(self) -> None:
        self._events: dict[UUID, list[JobEvent]] = {}
        self._owners: dict[UUID, UUID] = {}

    def record(self, owner_id: UUID, event: JobEvent) -> None:
        self._owners[event.job_id] = owner_id
        self._events.setdefault(event.job_id, []).append(event)

    async def events_after(self, job_id: UUID, seq: int, viewer: Actor) -> list[JobEvent]:
        if self._owners.get(job_id) != viewer.user_id:
            raise NotFound("job", job_id)
        return [event for event in self._events[job_id] if event.seq > seq]


class MemoryUserEvents:
    """See `application.ports.live.UserEvents`. Kept with the commit."""

    def __init__(self, kept: list[Told]) -> None:
        self._kept = kept
        self._new: list[Told] = []

    async def log(
        self, events: Sequence[tuple[UUID, UserEvent]], *, at: datetime
    ) -> Sequence[Told]:
        told = []
        for user_id, event in events:
            channel = channel_of(user_id, event)
            seq = 1 + sum(one.channel == channel for one in (*self._kept, *self._new))
            self._new.append(Told(channel, with_seq(event, seq)))
            told.append(self._new[-1])
        return told

    def flush(self) -> None:
        self._kept.extend(self._new)
        self._new.clear()
