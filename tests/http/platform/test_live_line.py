"""A client that drops and comes back, any number of times, over any feed, sees each event once."""

import asyncio
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.live import MemoryLive, MemoryLiveRecords
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from application.ports.live import Kept, OrderChanged, orders_channel
from application.studio.news import Newsroom
from entrypoints.http.live_hub import Hub
from entrypoints.http.live_line import TAIL, Line
from entrypoints.http.settings import Pace

ADA = UUID(int=0xADA)
CHANNEL = orders_channel(ADA)


def event(seq: int) -> OrderChanged:
    return OrderChanged(order_id=UUID(int=1), status="paid", seq=seq)


def test_a_line_holds_so_many_events_and_no_more() -> None:
    line = Line(CHANNEL)
    line.open_from(0)
    line.take(Kept([], 0), after=line.begin_reading(), limit=100)
    for seq in range(1, 3 * TAIL):
        line.hear(event(seq))
    assert (len(line.entries), line.head, line.floor) == (TAIL, 3 * TAIL - 1, 2 * TAIL - 1)


def test_what_is_heard_while_the_records_are_read_is_asked_for_again() -> None:
    line = Line(CHANNEL)
    line.open_from(0)
    after = line.begin_reading()
    line.hear(event(2))
    assert line.take(Kept([event(1)], 1), after=after, limit=100)
    after = line.begin_reading()
    assert not line.take(Kept([event(2)], 2), after=after, limit=100)
    assert (line.head, line.is_behind) == (2, False)


def test_what_the_records_do_not_know_does_not_exist() -> None:
    line = Line(CHANNEL)
    line.open_from(0)
    line.take(Kept([event(1)], 1), after=line.begin_reading(), limit=100)
    line.hear(event(900))
    assert line.is_behind
    assert not line.take(Kept([], 1), after=line.begin_reading(), limit=100)
    assert (line.head, line.is_behind) == (1, False)


class House:
    def __init__(self) -> None:
        self.live, self.records = MemoryLive(), MemoryLiveRecords()
        storage = MemoryStorage(clock=ManualClock())
        newsroom = Newsroom(feed=self.live, records=self.records, storage=storage)
        pace = Pace(poll_s=0.005, doubt_s=0.02, tick_s=0.002)
        self.hub = Hub(newsroom, pace)


class Client:
    """Remembers the last number that it saw, and nothing else, when it is cut off."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seen: list[int] = []
        self._news = asyncio.Event()

    async def listen(self, *, until: int) -> None:
        after = self.seen[-1] if self.seen else 0
        follower = await self.house.hub.join(CHANNEL, after=after, wake=self._news.set)
        try:
            while len(self.seen) < until:
                self._news.clear()
                news = await follower.next(limit=3)
                assert not news.missed
                self.seen += [entry.event.seq for entry in news.entries]
                if not news.entries:
                    await self._news.wait()
        finally:
            self.house.hub.leave(follower)


PUBLISHED = st.sampled_from(["once", "twice", "never", "late", "feed lost", "feed back"])


@settings(max_examples=60, deadline=None)
@given(
    how=st.lists(PUBLISHED, min_size=1, max_size=25),
    drops=st.lists(st.lists(st.integers(1, 25), max_size=4), min_size=1, max_size=4),
)
def test_each_client_sees_each_event_once_and_in_order(
    how: list[str], drops: list[list[int]]
) -> None:
    async def play() -> None:
        house, total = House(), len(how)
        clients = [Client(house) for _ in drops]

        async def come_and_go(client: Client, points: list[int]) -> None:
            for point in [*sorted(points), total]:
                await client.listen(until=min(point, total))

        listening = [
            asyncio.create_task(come_and_go(client, points))
            for client, points in zip(clients, drops, strict=True)
        ]
        late: list[OrderChanged] = []
        for seq, manner in enumerate(how, start=1):
            house.records.record(CHANNEL, event(seq))
            house.live.connected = house.live.connected or manner == "feed back"
            house.live.connected = house.live.connected and manner != "feed lost"
            if manner == "late":
                late.append(event(seq))
            elif manner != "never":
                for _ in range(2 if manner == "twice" else 1):
                    await house.live.publish(CHANNEL, event(seq))
            await asyncio.sleep(0)
            for old in late if manner == "twice" else ():
                await house.live.publish(CHANNEL, old)
        async with asyncio.timeout(5):
            await asyncio.gather(*listening)
        await house.hub.close()
        assert [client.seen for client in clients] == [list(range(1, total + 1))] * len(clients)
        assert (house.hub.channels, house.live.channels) == (0, 0)

    asyncio.run(play())
