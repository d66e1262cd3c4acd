"""Messages move from state to state, each in one worker's hands at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.memory.system import ManualClock
from adapters.postgres.engine import sessions_of
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.postgres.messages import PostgresInbox, inbox_messages, outbox_messages
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.messaging import correlation
from application.ports.messages import Claim, Setback

NOW = datetime.now(UTC)
SOON = timedelta(seconds=30)


class Wakes:
    def __init__(self) -> None:
        self.count = 0

    def wake(self) -> None:
        self.count += 1


class Greeting(msgspec.Struct):
    text: str = "hello"


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def queue(engine: AsyncEngine, clean_database: str) -> PostgresMessageQueue:
    return PostgresMessageQueue(engine)


@pytest.fixture
def unit(engine: AsyncEngine, clock: ManualClock, queue: object) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(sessions_of(engine), clock=clock, ids=UuidV7Ids(), wake=Wakes())


async def add(unit: PostgresUnitOfWork, *topics: str, due_at: datetime | None = None) -> None:
    async with unit:
        for topic in topics:
            unit.outbox.add(topic, Greeting(), due_at=due_at)
        await unit.commit()


async def take(
    queue: PostgresMessageQueue, *, room: int = 100, now: datetime = NOW, **visibility: timedelta
) -> list[UUID]:
    due = await queue.take_due(
        "outbox", rooms={"greet": room}, now=now, visibility=visibility.get("visibility", SOON)
    )
    return [message.id for message in due]


async def claim_one(queue: PostgresMessageQueue, *, lease: timedelta = SOON) -> Claim:
    claim = await queue.claim("outbox", "greet", await take(queue), lease=lease)
    assert claim is not None
    return claim


async def states(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        query = select(outbox_messages.c.state).order_by(outbox_messages.c.id)
        return list((await connection.scalars(query)).all())


async def test_a_message_waits_until_it_is_due(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    tomorrow = NOW + timedelta(days=1)
    await add(unit, "greet", due_at=tomorrow)
    assert await take(queue) == []
    assert len(await take(queue, now=tomorrow)) == 1


async def test_rows_of_topics_the_relay_does_not_know_stay_where_they_are(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    await add(unit, "a-topic-of-the-next-release", "greet")
    assert len(await take(queue)) == 1
    assert await states(engine) == ["pending", "dispatched"]


async def test_a_topic_has_only_so_many_in_flight_and_does_not_hold_up_another(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, *["mail"] * 10, "greet")
    rooms = {"mail": 4, "greet": 4}
    first = await queue.take_due("outbox", rooms=rooms, now=NOW, visibility=SOON)
    assert sorted(message.topic for message in first) == ["greet"] + ["mail"] * 4
    assert await queue.take_due("outbox", rooms=rooms, now=NOW, visibility=SOON) == []


async def test_two_relays_never_take_the_same_row(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, *["greet"] * 200)
    taken = await asyncio.gather(*(take(queue, room=1000) for _ in range(8)))
    ids = [message_id for part in taken for message_id in part]
    assert len(ids) == len(set(ids)) == 200


async def test_a_redelivered_queue_message_claims_nothing(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, "greet")
    ids = await take(queue)
    claims = await asyncio.gather(
        *(queue.claim("outbox", "greet", ids, lease=SOON) for _ in range(5))
    )
    assert sum(claim is not None for claim in claims) == 1


async def test_rows_whose_queue_was_lost_are_sent_again_without_counting_an_attempt(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, "greet")
    ids = await take(queue, visibility=timedelta(seconds=-1))
    assert (await queue.sweep("outbox", now=NOW, max_attempts=1)).returned == 1
    assert await queue.claim("outbox", "greet", ids, lease=SOON) is None
    assert (await claim_one(queue)).messages[0].attempts == 1


async def test_a_crash_between_claim_and_finish_counts_and_is_tried_again(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, "greet")
    lost = await claim_one(queue, lease=timedelta(seconds=-1))
    assert (await queue.sweep("outbox", now=NOW, max_attempts=8)).returned == 1
    again = await claim_one(queue)
    assert again.messages[0].attempts == 2
    ids = [again.messages[0].id]
    assert await queue.finish(lost, done=ids, setbacks=[], now=NOW) == 0
    assert await queue.finish(again, done=ids, setbacks=[], now=NOW) == 1


async def test_a_message_that_kills_every_worker_is_parked(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    await add(unit, "greet")
    for _ in range(8):
        await claim_one(queue, lease=timedelta(seconds=-1))
        swept = await queue.sweep("outbox", now=NOW, max_attempts=8)
    assert swept.parked == 1
    [row] = await PostgresMessageViews(engine).page("outbox", state="parked")
    assert row.attempts == 8
    assert row.last_error is not None
    assert row.last_error.startswith("LeaseExpired")


async def test_each_message_of_a_claim_goes_its_own_way(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    await add(unit, *["greet"] * 4)
    claim = await claim_one(queue)
    done, retried, parked, later = (message.id for message in claim.messages)
    due_at = NOW + timedelta(minutes=5)
    finished = await queue.finish(
        claim,
        done=[done],
        setbacks=[
            Setback(id=retried, state="pending", due_at=due_at, counted=True, error="Oops"),
            Setback(id=parked, state="parked", due_at=NOW, counted=True, error="Never"),
            Setback(id=later, state="pending", due_at=due_at, counted=False, error="Not yet"),
        ],
        now=NOW,
    )
    assert finished == 4
    rows = {row.id: row for row in await PostgresMessageViews(engine).page("outbox")}
    assert [rows[one].state for one in (done, retried, parked, later)] == [
        "done",
        "pending",
        "parked",
        "pending",
    ]
    assert [rows[one].attempts for one in (retried, later)] == [1, 0]
    assert rows[retried].due_at == due_at
    assert rows[parked].last_error == "Never"


async def test_redriven_messages_begin_anew(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, "greet", "greet")
    claim = await claim_one(queue)
    await queue.finish(
        claim,
        done=[],
        setbacks=[
            Setback(id=message.id, state="parked", due_at=NOW, counted=True, error="No")
            for message in claim.messages
        ],
        now=NOW,
    )
    first = claim.messages[0].id
    async with unit:
        assert await unit.parked.redrive("outbox", ids=[first], topic=None, now=NOW) == [first]
    async with unit:
        assert await unit.parked.redrive("outbox", ids=[first], topic=None, now=NOW) == [first]
        assert await unit.parked.redrive("outbox", ids=None, topic="other", now=NOW) == []
        assert len(await unit.parked.redrive("outbox", ids=None, topic=None, now=NOW)) == 1
        await unit.commit()
    assert {message.attempts for message in (await claim_one(queue)).messages} == {1}


async def test_what_the_queue_refused_is_due_at_once(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    await add(unit, "greet")
    ids = await take(queue)
    await queue.put_back("outbox", ids)
    assert await take(queue) == ids


async def test_only_old_done_rows_are_purged(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    await add(unit, *["greet"] * 3)
    claim = await claim_one(queue)
    ids = [message.id for message in claim.messages]
    await queue.finish(claim, done=ids, setbacks=[], now=NOW)
    await add(unit, "greet")
    assert await queue.purge("outbox", before=NOW - timedelta(seconds=1), limit=10) == 0
    later = NOW + timedelta(days=30)
    assert await queue.purge("outbox", before=later, limit=2) == 2
    assert await queue.purge("outbox", before=later, limit=2) == 1
    assert await states(engine) == ["pending"]


async def test_depths_tell_the_age_of_what_is_overdue(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    await add(unit, "greet", "greet")
    await take(queue, room=1)
    await add(unit, "greet", due_at=NOW + timedelta(days=7))
    [dispatched, pending] = sorted(
        await PostgresMessageViews(engine).depths(now=NOW + timedelta(seconds=9)),
        key=lambda depth: depth.state,
    )
    assert (dispatched.state, dispatched.count, pending.count) == ("dispatched", 1, 2)
    assert pending.oldest_age_s == pytest.approx(9)


async def test_a_commit_wakes_the_relay_only_when_it_left_messages(
    engine: AsyncEngine, clock: ManualClock, clean_database: str
) -> None:
    wakes = Wakes()
    unit = PostgresUnitOfWork(sessions_of(engine), clock=clock, ids=UuidV7Ids(), wake=wakes)
    async with unit:
        await unit.commit()
    async with unit:
        unit.outbox.add("greet", Greeting())
    assert wakes.count == 0
    await add(unit, "greet")
    assert wakes.count == 1


async def test_a_message_remembers_the_request_that_caused_it(
    queue: PostgresMessageQueue, unit: PostgresUnitOfWork
) -> None:
    token = correlation.request_id.set("req-1")
    await add(unit, "greet")
    correlation.request_id.reset(token)
    [message] = (await claim_one(queue)).messages
    assert (message.request_id, message.traceparent) == ("req-1", None)
    assert message.payload == b'{"text":"hello"}'


async def test_webhooks_that_arrive_together_are_kept_in_few_statements(
    engine: AsyncEngine, clock: ManualClock, clean_database: str
) -> None:
    wakes = Wakes()
    inbox = PostgresInbox(engine, clock=clock, ids=UuidV7Ids(), wake=wakes)

    async def receive(number: int) -> bool:
        return await inbox.receive(
            source="stripe", external_id=f"evt_{number % 50}", kind="x", payload=b"{}"
        )

    kept = await asyncio.gather(*(receive(number) for number in range(100)))
    assert sum(kept) == 50
    assert wakes.count <= 2


async def test_a_message_that_cannot_be_stored_does_not_hurt_those_beside_it(
    engine: AsyncEngine, clock: ManualClock, clean_database: str
) -> None:
    inbox = PostgresInbox(engine, clock=clock, ids=UuidV7Ids())

    async def receive(external_id: str) -> bool:
        return await inbox.receive(
            source="stripe", external_id=external_id, kind="x", payload=b"{}"
        )

    answers = await asyncio.gather(
        *(receive(name) for name in ("first", "evt_1", "nul\0byte", "evt_2")),
        return_exceptions=True,
    )
    assert [answer is True for answer in answers] == [True, True, False, True]
    assert isinstance(answers[2], Exception)


async def test_the_database_itself_refuses_a_row_that_is_running_without_a_lease(
    engine: AsyncEngine, clock: ManualClock, clean_database: str
) -> None:
    inbox = PostgresInbox(engine, clock=clock, ids=UuidV7Ids())
    await inbox.receive(source="stripe", external_id="evt_1", kind="x", payload=b"{}")
    with pytest.raises(Exception, match="ck_inbox_messages_lease"):
        async with engine.begin() as connection:
            await connection.execute(update(inbox_messages).values(state="running"))
