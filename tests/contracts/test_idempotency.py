"""What every `Idempotency` promises: one claim wins, and its answer is the answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.memory.idempotency import MemoryIdempotency
from adapters.postgres.idempotency import PostgresIdempotency
from application.ports.idempotency import (
    KEPT_FOR,
    LEASE,
    Claim,
    Claimed,
    Idempotency,
    InProgress,
    RequestKey,
    Reused,
    StoredAnswer,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = RequestKey("user:1", "POST /orders", "key-1")
ANSWER = StoredAnswer(201, (("content-type", "application/json"),), b'{"data": "\x00\xff"}')
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def memory() -> Idempotency:
    return MemoryIdempotency()


@pytest.fixture
async def postgres(clean_database: str) -> AsyncIterator[Idempotency]:
    engine = create_async_engine(clean_database)
    yield PostgresIdempotency(engine)
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def requests(request: pytest.FixtureRequest) -> Idempotency:
    adapter: Idempotency = request.getfixturevalue(request.param)
    return adapter


async def claim(
    requests: Idempotency,
    *,
    key: RequestKey = KEY,
    body: bytes = b"body",
    claim_id: UUID = FIRST,
    now: datetime = NOW,
) -> Claim:
    return await requests.claim(key, request_hash=body, claim_id=claim_id, now=now)


async def test_the_first_claim_wins_and_the_second_waits(requests: Idempotency) -> None:
    assert await claim(requests) == Claimed()
    assert await claim(requests, claim_id=SECOND) == InProgress()


async def test_the_answer_is_given_again(requests: Idempotency) -> None:
    await claim(requests)
    await requests.store(KEY, claim_id=FIRST, answer=ANSWER, now=NOW)

    assert await claim(requests, claim_id=SECOND) == ANSWER


async def test_another_body_under_the_same_key_is_told_so(requests: Idempotency) -> None:
    await claim(requests)
    assert await claim(requests, body=b"other") == Reused()

    await requests.store(KEY, claim_id=FIRST, answer=ANSWER, now=NOW)
    assert await claim(requests, body=b"other") == Reused()


@pytest.mark.parametrize(
    "other",
    [
        RequestKey("user:2", KEY.operation, KEY.key),
        RequestKey(KEY.owner, "POST /refunds", KEY.key),
        RequestKey(KEY.owner, KEY.operation, "key-2"),
    ],
)
async def test_a_key_belongs_to_its_owner_and_operation(
    requests: Idempotency, other: RequestKey
) -> None:
    await claim(requests)

    assert await claim(requests, key=other, body=b"other") == Claimed()


async def test_a_released_claim_may_be_taken_again_with_any_body(requests: Idempotency) -> None:
    await claim(requests)
    await requests.release(KEY, claim_id=FIRST)

    assert await claim(requests, body=b"other", claim_id=SECOND) == Claimed()


async def test_the_claim_of_a_crashed_owner_expires(requests: Idempotency) -> None:
    await claim(requests)
    just_before = NOW + LEASE - timedelta(milliseconds=1)

    assert await claim(requests, claim_id=SECOND, now=just_before) == InProgress()
    assert await claim(requests, claim_id=SECOND, now=NOW + LEASE) == Claimed()


async def test_an_owner_that_was_taken_for_dead_cannot_answer(requests: Idempotency) -> None:
    await claim(requests)
    await claim(requests, claim_id=SECOND, now=NOW + LEASE)
    await requests.store(KEY, claim_id=FIRST, answer=ANSWER, now=NOW + LEASE)
    await requests.release(KEY, claim_id=FIRST)

    assert await claim(requests, claim_id=uuid4(), now=NOW + LEASE) == InProgress()


async def test_a_stored_answer_cannot_be_released(requests: Idempotency) -> None:
    await claim(requests)
    await requests.store(KEY, claim_id=FIRST, answer=ANSWER, now=NOW)
    await requests.release(KEY, claim_id=FIRST)

    assert await claim(requests) == ANSWER


async def test_an_answer_is_kept_for_a_day(requests: Idempotency) -> None:
    await claim(requests)
    await requests.store(KEY, claim_id=FIRST, answer=ANSWER, now=NOW)
    last_moment = NOW + KEPT_FOR - timedelta(milliseconds=1)

    assert await claim(requests, now=last_moment) == ANSWER
    assert await claim(requests, body=b"other", now=NOW + KEPT_FOR) == Claimed()
    assert await claim(requests, body=b"other", now=NOW + KEPT_FOR) == InProgress()


async def test_purging_forgets_what_has_expired_only(requests: Idempotency) -> None:
    await claim(requests)
    later = RequestKey(KEY.owner, KEY.operation, "later")
    await claim(requests, key=later, now=NOW + timedelta(hours=1))

    assert await requests.purge(now=NOW + KEPT_FOR) == 1
    assert await claim(requests, key=later, now=NOW + timedelta(hours=1)) == InProgress()


async def test_of_many_claims_at_once_one_wins(requests: Idempotency) -> None:
    outcomes = await asyncio.gather(*(claim(requests, claim_id=uuid4()) for _ in range(12)))

    assert outcomes.count(Claimed()) == 1
    assert outcomes.count(InProgress()) == 11


async def test_of_many_takeovers_at_once_one_wins(requests: Idempotency) -> None:
    await claim(requests)
    late = NOW + LEASE
    outcomes = await asyncio.gather(
        *(claim(requests, claim_id=uuid4(), now=late) for _ in range(12))
    )

    assert outcomes.count(Claimed()) == 1
