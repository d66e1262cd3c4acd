"""What every `RateLimits` promises: so many permits in any window, and an honest way to wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory.rate_limits import MemoryRateLimits
from adapters.memory.system import ManualClock
from adapters.redis.rate_limits import RedisRateLimits
from application.ports.errors import Unavailable
from application.ports.rate_limits import RateLimit, RateLimits

LIMIT = RateLimit("test", permits=5, window_s=60)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC))


@pytest.fixture
def memory(clock: ManualClock) -> RateLimits:
    return MemoryRateLimits(clock=clock)


@pytest.fixture
async def valkey(clean_redis: str, clock: ManualClock) -> AsyncIterator[RateLimits]:
    async with redis.asyncio.from_url(clean_redis) as client:
        yield RedisRateLimits(client, clock=clock)


@pytest.fixture(params=["memory", "valkey"])
def counters(request: pytest.FixtureRequest) -> RateLimits:
    adapter: RateLimits = request.getfixturevalue(request.param)
    return adapter


async def allowed(counters: RateLimits, *, times: int, subject: str = "ada") -> list[bool]:
    return [(await counters.take(LIMIT, subject)).allowed for _ in range(times)]


async def test_all_permits_may_be_used_at_once(counters: RateLimits) -> None:
    assert await allowed(counters, times=6) == [True] * 5 + [False]


async def test_what_remains_is_counted_down(counters: RateLimits) -> None:
    remaining = [(await counters.take(LIMIT, "ada")).remaining for _ in range(6)]

    assert remaining == [4, 3, 2, 1, 0, 0]


async def test_subjects_and_limits_are_counted_apart(counters: RateLimits) -> None:
    await allowed(counters, times=5)

    assert await allowed(counters, times=1, subject="ben") == [True]
    other = RateLimit("other", permits=1, window_s=60)
    assert (await counters.take(other, "ada")).allowed


async def test_after_the_told_time_a_permit_is_free(
    counters: RateLimits, clock: ManualClock
) -> None:
    await allowed(counters, times=5)
    refused = await counters.take(LIMIT, "ada")
    clock.advance(timedelta(seconds=refused.reset_s))

    assert (await counters.take(LIMIT, "ada")).allowed


async def test_a_refused_attempt_does_not_make_the_wait_longer(
    counters: RateLimits, clock: ManualClock
) -> None:
    await allowed(counters, times=5)
    wait_s = (await counters.take(LIMIT, "ada")).reset_s
    await allowed(counters, times=50)
    clock.advance(timedelta(seconds=wait_s))

    assert (await counters.take(LIMIT, "ada")).allowed


async def test_the_boundary_of_a_window_gives_no_second_helping(
    counters: RateLimits, clock: ManualClock
) -> None:
    clock.advance(timedelta(seconds=49))  # one second before the minute is full
    await allowed(counters, times=5)
    clock.advance(timedelta(seconds=2))

    assert await allowed(counters, times=5) == [False] * 5


async def test_after_two_windows_all_permits_are_back(
    counters: RateLimits, clock: ManualClock
) -> None:
    await allowed(counters, times=5)
    clock.advance(timedelta(seconds=120))

    assert await allowed(counters, times=6) == [True] * 5 + [False]


async def test_calls_at_the_same_time_share_the_permits(counters: RateLimits) -> None:
    answers = await asyncio.gather(*(counters.take(LIMIT, "ada") for _ in range(30)))

    assert sum(answer.allowed for answer in answers) == 5


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pauses_s=st.lists(st.integers(0, 70), min_size=1, max_size=30), run=st.uuids())
async def test_whoever_waits_as_told_is_let_in(
    counters: RateLimits, clock: ManualClock, pauses_s: list[int], run: object
) -> None:
    for pause_s in pauses_s:
        clock.advance(timedelta(seconds=pause_s))
        answer = await counters.take(LIMIT, f"{run}")
        assert 0 <= answer.remaining < LIMIT.permits
        if not answer.allowed:
            assert 1 <= answer.reset_s <= 2 * LIMIT.window_s
            clock.advance(timedelta(seconds=answer.reset_s))
            assert (await counters.take(LIMIT, f"{run}")).allowed


async def test_without_redis_it_says_so(clock: ManualClock) -> None:
    client = redis.asyncio.Redis(port=1, socket_connect_timeout=0.2)
    with pytest.raises(Unavailable):
        await RedisRateLimits(client, clock=clock).take(LIMIT, "ada")
    await client.aclose()
