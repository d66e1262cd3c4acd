"""No event is lost, however long nobody looked and wherever the clock stood."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import pytest

from adapters.memory.messages import MemoryInbox
from adapters.memory.sweeps import MemorySweepCursors
from adapters.memory.system import ManualClock
from application.ordering.missed_events import LOOK_BACK, REMEMBERED, sweep_missed_events
from application.ports.errors import Unavailable
from application.ports.payments import InboundEvent, PaymentEvent, PaymentWebhooks
from tests.builders import NOON


class Undelivered(PaymentWebhooks):
    """One event, an hour old at noon, and a note of how far back was asked."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.broken = False

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, endpoint: Literal["platform", "connect"]
    ) -> InboundEvent:
        raise NotImplementedError

    def read(self, payload: bytes) -> PaymentEvent:
        raise NotImplementedError

    async def undelivered(self, *, since: datetime) -> AsyncIterator[Sequence[InboundEvent]]:
        self.asked.append(since)
        if since <= NOON - timedelta(hours=1):
            yield [InboundEvent(source="stripe", external_id="evt_1", kind="x", payload=b"{}")]
        if self.broken:
            raise Unavailable("It broke down.", provider="stripe")


class House:
    def __init__(self) -> None:
        self.webhooks, self.inbox = Undelivered(), MemoryInbox()
        self.cursors, self.clock = MemorySweepCursors(), ManualClock(NOON)

    async def sweep(self) -> int:
        return await sweep_missed_events(
            webhooks=self.webhooks, inbox=self.inbox, cursors=self.cursors, clock=self.clock
        )


async def test_the_first_sweep_looks_back_as_far_as_the_provider_remembers() -> None:
    house = House()

    assert await house.sweep() == 1
    assert await house.sweep() == 0

    assert house.webhooks.asked == [NOON - REMEMBERED, NOON - LOOK_BACK]


async def test_after_a_long_stop_nothing_is_left_out() -> None:
    house = House()
    await house.cursors.reach("missed-events", NOON - timedelta(days=2))
    house.clock.advance(timedelta(days=8))

    assert await house.sweep() == 1

    assert house.webhooks.asked == [NOON - timedelta(days=2) - LOOK_BACK]


async def test_a_clock_that_was_set_back_looks_behind_where_it_stands_now() -> None:
    house = House()
    await house.cursors.reach("missed-events", NOON + timedelta(days=20))

    await house.sweep()

    assert house.webhooks.asked == [NOON - LOOK_BACK]


async def test_a_sweep_that_fails_is_made_again_whole() -> None:
    house = House()
    house.webhooks.broken = True

    with pytest.raises(Unavailable):
        await house.sweep()

    assert await house.cursors.reached("missed-events") is None
    assert len(house.inbox.received) == 1
