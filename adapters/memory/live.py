"""Live events within one process, and the progress of jobs for tests."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from application.ports.live import JobProgress, LiveEvent
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
        self._listeners: defaultdict[str, set[_Subscription]] = defaultdict(set)

    async def publish(self, channel: str, event: LiveEvent) -> None:
        for listener in self._listeners.get(channel, ()):
            listener.put(event)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[_Subscription]:
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
        self._events: dict[UUID, list[JobProgress]] = {}
        self._owners: dict[UUID, UUID] = {}

    def record(self, owner_id: UUID, event: JobProgress) -> None:
        self._owners[event.job_id] = owner_id
        self._events.setdefault(event.job_id, []).append(event)

    async def events_after(self, job_id: UUID, seq: int, viewer: Actor) -> list[JobProgress]:
        if self._owners.get(job_id) != viewer.user_id:
            raise NotFound("job", job_id)
        return [event for event in self._events[job_id] if event.seq > seq]
