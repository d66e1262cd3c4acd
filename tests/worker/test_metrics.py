"""A scrape sees how much waits, how long, and that it went away."""

from datetime import timedelta

from adapters.memory.system import ManualClock
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.system.clock import SystemClock
from entrypoints.gauges import refresh_queue_gauges
from entrypoints.metrics import exposition
from tests.worker.conftest import Producer


async def test_waiting_messages_are_counted_with_their_age(
    queue: PostgresMessageQueue, producer: Producer, views: PostgresMessageViews
) -> None:
    clock = ManualClock(SystemClock().now() + timedelta(hours=1))
    await producer.add("one", "two", topic="measured")
    await refresh_queue_gauges(views, clock=clock)
    labels = '{box="outbox",state="pending",topic="measured"}'
    assert f"messages_waiting{labels} 2.0" in _shown()
    [age] = [line for line in _shown() if line.startswith(f"messages_oldest_age_seconds{labels}")]
    assert 3590 < float(age.split()[-1]) < 3610

    await queue.take_due(
        "outbox", rooms={"measured": 9}, now=clock.now(), visibility=timedelta(seconds=30)
    )
    await refresh_queue_gauges(views, clock=clock)
    assert f"messages_waiting{labels} 0.0" in _shown()


def _shown() -> list[str]:
    return exposition().decode().splitlines()
