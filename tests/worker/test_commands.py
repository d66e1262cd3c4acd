"""What an operator can do about parked messages."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.system import ManualClock
from adapters.postgres.audit import PostgresAuditViews
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.system.clock import SystemClock
from application.ports.audit import AuditFilter
from application.ports.messages import Setback
from entrypoints.cli.messages import redrive_parked
from tests.worker.conftest import Producer


class Wakes:
    def __init__(self) -> None:
        self.count = 0

    def wake(self) -> None:
        self.count += 1


class Ports:
    def __init__(
        self, queue: PostgresMessageQueue, views: PostgresMessageViews, producer: Producer
    ) -> None:
        self.messages = queue
        self.uow = lambda: producer.unit
        self.message_views = views
        self.clock = ManualClock(SystemClock().now())
        self.wake = Wakes()


async def parked(ports: Ports, producer: Producer, *topics: str) -> list[UUID]:
    ids = []
    for topic in topics:
        await producer.add("one", topic=topic)
        [due] = await ports.messages.take_due(
            "outbox",
            rooms={topic: 1},
            now=SystemClock().now(),
            visibility=timedelta(seconds=30),
        )
        claim = await ports.messages.claim("outbox", topic, [due.id], lease=timedelta(seconds=30))
        assert claim is not None
        now = ports.clock.now()
        lost = Setback(id=due.id, state="parked", due_at=now, counted=True, error="No")
        await ports.messages.finish(claim, done=[], setbacks=[lost], now=now)
        ids.append(due.id)
    return ids


async def test_named_messages_are_put_back_and_the_log_says_who_did_it(
    queue: PostgresMessageQueue,
    views: PostgresMessageViews,
    producer: Producer,
    engine: AsyncEngine,
) -> None:
    ports = Ports(queue, views, producer)
    first, _second = await parked(ports, producer, "greet", "greet")
    answer = await redrive_parked(
        "outbox", ids=[first, uuid4()], all_parked=False, topic=None, ports=ports
    )
    assert answer.ids == [first]
    assert ports.wake.count == 1
    [entry] = await PostgresAuditViews(engine).page(AuditFilter(), before=None, limit=10)
    assert (entry.act, entry.actor_name) == ("message.redriven", "the command line")
    assert (entry.object_kind, entry.object_id) == ("outbox", str(first))
    assert {row.state for row in await views.page("outbox")} == {"pending", "parked"}


async def test_all_parked_of_a_topic_are_put_back(
    queue: PostgresMessageQueue, views: PostgresMessageViews, producer: Producer
) -> None:
    ports = Ports(queue, views, producer)
    greet, _mail = await parked(ports, producer, "greet", "mail")
    answer = await redrive_parked("outbox", ids=(), all_parked=True, topic="greet", ports=ports)
    assert answer.ids == [greet]
    [left] = await views.page("outbox", state="parked")
    assert left.topic == "mail"


async def test_messages_are_listed_newest_first_in_pages(
    queue: PostgresMessageQueue, views: PostgresMessageViews, producer: Producer
) -> None:
    await producer.add("one", "two", "three")
    first = await views.page("outbox", limit=2)
    rest = await views.page("outbox", before=first[-1].id, limit=2)
    ids = [row.id for row in first + rest]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 3
