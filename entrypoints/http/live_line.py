"""One channel in this process, however many listen: its newest events, and how far they reach.

Nothing is queued for a client. Each has a place in the line and reads on from there; who is so far
behind that the line no longer holds the events reads them from the records.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

from application.ports.live import MAX_SEQ, Channel, Kept, LiveEvent

TAIL = 512
"""Events of a channel that are held in memory."""


class Entry:
    """An event, and what listeners are told of it, written once for all who are told the same."""

    __slots__ = ("event", "text", "texts")

    def __init__(self, event: LiveEvent) -> None:
        self.event = event
        self.text: str | None = None
        self.texts: dict[UUID, tuple[float, asyncio.Task[str]]] = {}


class Line:
    """Holds every event that is kept with floor < seq <= head, once it is open."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.floor = self.head = 0
        self.opened = asyncio.Event()
        self.wakes: set[Callable[[], None]] = set()
        self.entries: deque[Entry] = deque()
        self.newest = 0
        self._heard = self._heard_at_read = 0
        self._open_after = MAX_SEQ

    @property
    def is_behind(self) -> bool:
        """Whether there is more than it holds, as far as it has heard."""
        return self._heard > self.head

    def begin_reading(self) -> int:
        """After which number the records are to be asked."""
        self._heard_at_read = self._heard
        return self.head if self.opened.is_set() else self._open_after

    def open_from(self, seq: int) -> None:
        """Somebody wants what came after `seq`; decides while it is not open."""
        self._open_after = min(self._open_after, seq)

    def hear(self, event: LiveEvent) -> None:
        """An event was published: the next one, one seen before, or one after a gap."""
        if self.opened.is_set() and event.seq == self.head + 1:
            self._append([event])
        else:
            self._heard = max(self._heard, event.seq)

    def take(self, kept: Kept, *, after: int, limit: int) -> bool:
        """The records say what came after `after`. Answers whether there is more to read.

        What was heard of before they were asked, and they do not know, does not exist.
        """
        if not self.opened.is_set():
            self.floor = self.head = min(after, kept.last_seq)
            self.opened.set()
        self.newest = max(self.newest, kept.last_seq)
        self._append([event for event in kept.events if event.seq > self.head])
        if len(kept.events) == limit:
            return True
        if kept.last_seq > self.head:  # those between are no longer kept
            self.head = kept.last_seq
            self.wake()
        if self._heard > max(self.head, self._heard_at_read):
            return True
        self._heard = min(self._heard, self.head)
        return False

    def prepend(self, after: int, events: Sequence[LiveEvent]) -> None:
        """What came after `after`, read again for somebody who was away, as far as there is room
        and nothing is left out."""
        older = [event for event in events if event.seq <= self.floor]
        reaches = bool(older) and older[-1].seq == self.floor
        if after < self.floor and reaches and len(self.entries) + len(older) <= TAIL:
            self.entries.extendleft(Entry(event) for event in reversed(older))
            self.floor = after

    def after(self, seq: int, *, limit: int) -> list[Entry]:
        """The oldest entries with a greater `seq`, which is not below the floor."""
        found: list[Entry] = []
        for entry in reversed(self.entries):
            if entry.event.seq <= seq:
                break
            found.append(entry)
        found.reverse()
        return found[:limit]

    def wake(self) -> None:
        for wake in list(self.wakes):
            wake()

    def _append(self, events: Sequence[LiveEvent]) -> None:
        if not events:
            return
        self.entries.extend(Entry(event) for event in events)
        self.head = events[-1].seq
        while len(self.entries) > TAIL:
            self.floor = self.entries.popleft().event.seq
        self.wake()
