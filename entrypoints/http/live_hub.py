"""The live events of one process: one subscription and one reading of the records per channel.

What is published arrives at once; the records are asked, for all channels that need it together,
when a channel is opened, when a number is missing, now and then while the feed is gone, when it
comes back, and after a long while in any case.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import msgspec
import structlog

from application.ports.errors import Unavailable
from application.ports.live import MAX_SEQ, Channel, LiveEvent
from application.studio.news import Newsroom, depends_on_listener, news_of
from domain.shared.errors import TooManyRequests
from entrypoints.http.live_line import Entry, Line
from entrypoints.http.settings import Pace

log = structlog.get_logger(__name__)

PAGE = 100
CHANNELS_AT_ONCE = 1_000
OPEN_WITHIN_S = 10.0
LINKS_LIVE_S = 60.0
"""How long links that were made for a listener are given to their other connections."""
CONNECTIONS_OF_USER = 100


class LiveConnectionsExceeded(TooManyRequests):
    """One user has too many live connections open at once."""

    code = "live_connections_exceeded"


class Follower:
    """A client's place in one channel. `wake` is called, often, when there may be news."""

    def __init__(self, hub: "Hub", line: Line, wake: Callable[[], None]) -> None:
        self.cursor = 0
        self.line = line
        self.wake = wake
        self._hub = hub

    @property
    def has_news(self) -> bool:
        return self.line.head > self.cursor

    async def next(self, *, limit: int = 50) -> "News":
        """What comes next in the channel; nothing when nothing is there yet."""
        if not self.has_news:
            return News([], missed=False)
        line, before = self.line, self.cursor
        if before < line.floor:
            entries = await self._hub.page(line, before)
            until = line.floor
        else:
            entries = line.after(before, limit=limit)
            until = line.head
        self.cursor = entries[-1].event.seq if entries else max(until, before)
        return News(entries, missed=(entries[0].event.seq if entries else until + 1) > before + 1)


@dataclass(frozen=True, slots=True)
class News:
    """`missed` says that older events were to be told and are no longer kept."""

    entries: Sequence[Entry]
    missed: bool


class Hub:
    def __init__(self, newsroom: Newsroom, pace: Pace) -> None:
        self.pace = pace
        self._newsroom = newsroom
        self._lines: dict[Channel, Line] = {}
        self._listening: dict[Line, asyncio.Task[None]] = {}
        self._hears: dict[Line, Callable[[LiveEvent], None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._asking: set[Line] = set()
        self._asked = asyncio.Event()
        self._tending: asyncio.Task[None] | None = None
        self._pages: dict[tuple[Line, int], asyncio.Task[list[Entry]]] = {}
        self._connections: Counter[UUID] = Counter()

    @property
    def channels(self) -> int:
        return len(self._lines)

    @contextmanager
    def connection_of(self, user_id: UUID) -> Iterator[None]:
        """Raises LiveConnectionsExceeded."""
        if self._connections[user_id] >= CONNECTIONS_OF_USER:
            raise LiveConnectionsExceeded(
                f"At most {CONNECTIONS_OF_USER} live connections at once.", retry_after_s=60
            )
        self._connections[user_id] += 1
        try:
            yield
        finally:
            self._connections[user_id] -= 1
            if not self._connections[user_id]:
                del self._connections[user_id]

    async def join(
        self, channel: Channel, *, after: int | None, wake: Callable[[], None]
    ) -> Follower:
        """Follow from after that number, or from now on. Raises Unavailable."""
        line = self._line_of(channel)
        follower = Follower(self, line, wake)
        line.wakes.add(wake)
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                await asyncio.shield(self._listening[line])
                if not line.opened.is_set():
                    line.open_from(MAX_SEQ if after is None else after)
                    self._ask(line)
                    await line.opened.wait()
        except TimeoutError:
            self.leave(follower)
            raise Unavailable("The records do not answer.", provider="database") from None
        except BaseException:
            self.leave(follower)
            raise
        follower.cursor = max(line.head, line.newest) if after is None else after
        return follower

    def leave(self, follower: Follower) -> None:
        line = follower.line
        line.wakes.discard(follower.wake)
        if line.wakes or self._lines.get(line.channel) is not line:
            return
        del self._lines[line.channel]
        self._asking.discard(line)
        task = asyncio.create_task(self._let_go(line))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        if self._tending is not None:
            self._tending.cancel()
            with suppress(asyncio.CancelledError):
                await self._tending
            self._tending = None
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def page(self, line: Line, after: int) -> list[Entry]:
        """What came after that number, from the records; who asks the same shares the answer."""
        key = (line, after)
        task = self._pages.get(key)
        if task is None:
            task = self._pages[key] = asyncio.create_task(self._read_page(line, after))
            task.add_done_callback(lambda _: self._pages.pop(key, None))
        return await asyncio.shield(task)

    async def text_of(self, entry: Entry, viewer_id: UUID) -> str:
        """The event as JSON, as this listener is told it."""
        if entry.text is not None:
            return entry.text
        if not depends_on_listener(entry.event):
            entry.text = await self._written(entry.event, viewer_id)
            return entry.text
        now_s = monotonic()
        made = entry.texts.get(viewer_id)
        if made is None or now_s - made[0] > LINKS_LIVE_S or _failed(made[1]):
            made = (now_s, asyncio.create_task(self._written(entry.event, viewer_id)))
            entry.texts[viewer_id] = made
        return await asyncio.shield(made[1])

    async def _written(self, event: LiveEvent, viewer_id: UUID) -> str:
        news = await news_of(event, viewer_id=viewer_id, newsroom=self._newsroom)
        return msgspec.json.encode(news).decode()

    def _line_of(self, channel: Channel) -> Line:
        line = self._lines.get(channel)
        if line is None:
            line = self._lines[channel] = Line(channel)
            hear = self._hears[line] = self._hearing(line)
            self._listening[line] = asyncio.create_task(self._newsroom.feed.listen(channel, hear))
        if self._tending is None or self._tending.done():
            self._tending = asyncio.create_task(self._tend(), name="live-hub")
        return line

    def _hearing(self, line: Line) -> Callable[[LiveEvent], None]:
        def hear(event: LiveEvent) -> None:
            line.hear(event)
            if line.is_behind:
                self._ask(line)

        return hear

    async def _let_go(self, line: Line) -> None:
        listening = self._listening.pop(line)
        with suppress(Exception):
            await listening
        await self._newsroom.feed.leave(line.channel, self._hears.pop(line))

    def _ask(self, line: Line) -> None:
        self._asking.add(line)
        self._asked.set()

    async def _tend(self) -> None:
        """Ask the records, while anybody listens, and survive their outages."""
        connected, asked_all_s = self._newsroom.feed.connected, monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pace.tick_s):
                    await self._asked.wait()
            self._asked.clear()
            was, connected = connected, self._newsroom.feed.connected
            every_s = self.pace.doubt_s if connected else self.pace.poll_s
            if monotonic() - asked_all_s > every_s or (connected and not was):
                asked_all_s = monotonic()
                self._asking.update(self._lines.values())
            try:
                await self._read_asked()
            except Exception as error:  # noqa: BLE001 - whatever it was: ask again in a moment
                log.warning("live_records_unread", error=type(error).__name__)
                await asyncio.sleep(self.pace.tick_s)
                self._asked.set()

    async def _read_asked(self) -> None:
        lines = [line for line in self._asking if self._lines.get(line.channel) is line]
        self._asking.clear()
        for start in range(0, len(lines), CHANNELS_AT_ONCE):
            wanted = {
                line: line.begin_reading() for line in lines[start : start + CHANNELS_AT_ONCE]
            }
            try:
                found = await self._newsroom.records.read(
                    {line.channel: seq for line, seq in wanted.items()}, limit=PAGE
                )
            except BaseException:
                self._asking.update(lines[start:])
                raise
            for line, seq in wanted.items():
                if line.take(found[line.channel], after=seq, limit=PAGE):
                    self._ask(line)

    async def _read_page(self, line: Line, after: int) -> list[Entry]:
        found = await self._newsroom.records.read({line.channel: after}, limit=PAGE)
        events = found[line.channel].events
        line.prepend(after, events)
        return [Entry(event) for event in events if event.seq <= line.head]


def _failed(task: asyncio.Task[str]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
