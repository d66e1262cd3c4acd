"""Live events within one process, and what is kept of them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from application.ports.live import (
    Channel,
    JobCompleted,
    Kept,
    LiveEvent,
    StepCompleted,
    Told,
    UserEvent,
    channel_of,
    with_seq,
)
from domain.identity.actor import Actor
from domain.media.asset import Asset
from domain.shared.errors import NotFound


class MemoryLive:
    """See `LiveEvents` and `LiveFeed` in `application.ports.live`."""

    def __init__(self) -> None:
        self.connected = True
        self._listeners: defaultdict[Channel, list[Callable[[LiveEvent], None]]] = defaultdict(list)

    @property
    def channels(self) -> int:
        """How many are listened to."""
        return len(self._listeners)

    async def publish(self, channel: Channel, event: LiveEvent) -> None:
        if self.connected:
            for hear in list(self._listeners.get(channel, ())):
                hear(event)

    async def listen(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None:
        self._listeners[channel].append(hear)

    async def leave(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None:
        self._listeners[channel].remove(hear)
        if not self._listeners[channel]:
            del self._listeners[channel]


class MemoryLiveRecords:
    """See `application.ports.live.LiveRecords`. `reads` counts the questions,
    `reviewed` says of which jobs results wait for a moderator."""

    def __init__(self) -> None:
        self.reads = 0
        self.assets: list[Asset] = []
        self.reviewed: dict[UUID, int] = {}
        self._events: defaultdict[Channel, list[LiveEvent]] = defaultdict(list)
        self._owners: dict[Channel, UUID] = {}

    def record(self, channel: Channel, event: LiveEvent, *, owner_id: UUID | None = None) -> None:
        if owner_id is not None:
            self._owners[channel] = owner_id
        self._events[channel].append(event)

    def forget(self, channel: Channel, *, until: int) -> None:
        """Sweep what is old."""
        self._events[channel] = [event for event in self._events[channel] if event.seq > until]

    async def read(self, after: Mapping[Channel, int], *, limit: int) -> Mapping[Channel, Kept]:
        self.reads += 1
        kept = {}
        for channel, seq in after.items():
            events = self._events[channel]
            newer = [event for event in events if event.seq > seq]
            kept[channel] = Kept(newer[:limit], events[-1].seq if events else 0)
        return kept

    async def require_viewer(self, channel: Channel, viewer: Actor) -> None:
        if self._owners.get(channel, channel.subject) != viewer.user_id:
            raise NotFound(channel.kind, channel.subject)

    async def results(self, event: JobCompleted | StepCompleted) -> Sequence[Asset]:
        if isinstance(event, StepCompleted):
            return [asset for asset in self.assets if asset.id == event.result_asset_id]
        return [asset for asset in self.assets if asset.generation_id == event.job_id]

    async def in_review(self, event: JobCompleted) -> int:
        return self.reviewed.get(event.job_id, 0)


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
