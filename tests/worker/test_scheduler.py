"""Periodic jobs run in one process at a time, and somebody follows a leader that dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.system import ManualClock
from adapters.postgres.leadership import PostgresLeadership
from adapters.postgres.scheduler_runs import PostgresJobRuns
from adapters.system.clock import SystemClock
from application.ports.clock import Clock
from entrypoints.worker.scheduler import Job, Scheduler
from tests.worker.conftest import eventually


class Counted:
    """A job that counts its runs, and fails while `broken`."""

    def __init__(self) -> None:
        self.count = 0
        self.broken = False

    async def run(self) -> None:
        self.count += 1
        if self.broken:
            raise RuntimeError("broken")


@pytest.fixture
def runs(engine: AsyncEngine, clean_database: str) -> PostgresJobRuns:
    return PostgresJobRuns(engine)


@contextlib.asynccontextmanager
async def scheduling(
    job: Counted,
    runs: PostgresJobRuns,
    url: str,
    *,
    clock: Clock | None = None,
    every: timedelta = timedelta(seconds=0.02),
) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(
        [Job(name="count", every=every, run=job.run)],
        leadership=PostgresLeadership(url, name="scheduler"),
        runs=runs,
        clock=clock or SystemClock(),
        look_every_s=0.02,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(scheduler.run(stop))
    try:
        yield scheduler
    finally:
        stop.set()
        await task


async def test_of_two_schedulers_one_leads_and_the_other_follows_when_it_stops(
    runs: PostgresJobRuns, database_url: str
) -> None:
    first, second = Counted(), Counted()
    async with scheduling(second, runs, database_url) as follower:
        await eventually(lambda: follower.leads)
        async with scheduling(first, runs, database_url) as waiting:
            await eventually(lambda: second.count > 5)
            assert not waiting.leads
            assert first.count == 0
    async with scheduling(first, runs, database_url):
        await eventually(lambda: first.count > 0)


async def test_a_leader_that_loses_its_connection_steps_down_and_is_followed(
    runs: PostgresJobRuns, database_url: str, engine: AsyncEngine
) -> None:
    leader = PostgresLeadership(database_url, name="scheduler")
    follower = PostgresLeadership(database_url, name="scheduler")
    assert await leader.try_take()
    assert not await follower.try_take()
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " JOIN pg_database ON pg_database.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database() AND granted"
            )
        )
    async with asyncio.timeout(5):
        while await leader.still_held():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while not await follower.try_take():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not await leader.try_take()
    await follower.give_up()
    assert await leader.try_take()
    await leader.give_up()


async def test_a_server_that_is_away_means_no_leadership() -> None:
    nowhere = PostgresLeadership("postgresql://127.0.0.1:1/none", name="scheduler", timeout_s=1)
    assert not await nowhere.try_take()
    assert not await nowhere.still_held()


async def test_a_job_keeps_its_interval_across_a_change_of_leader(
    runs: PostgresJobRuns, database_url: str
) -> None:
    clock, job = ManualClock(), Counted()
    daily = timedelta(days=1)
    for _ in range(3):
        async with scheduling(job, runs, database_url, clock=clock, every=daily):
            await asyncio.sleep(0.1)
    assert job.count == 1
    async with scheduling(job, runs, database_url, clock=clock, every=daily):
        await asyncio.sleep(0.05)
        clock.advance(daily)
        await eventually(lambda: job.count == 2)


async def test_a_failing_job_is_noted_and_tried_again_sooner(
    runs: PostgresJobRuns, database_url: str
) -> None:
    clock, job = ManualClock(), Counted()
    job.broken = True
    async with scheduling(job, runs, database_url, clock=clock, every=timedelta(days=1)):
        await eventually(lambda: job.count == 1)
        await asyncio.sleep(0.1)
        assert job.count == 1
        [run] = await runs.all()
        assert run.error is not None
        assert run.error.startswith("RuntimeError")
        job.broken = False
        clock.advance(timedelta(seconds=11))
        await eventually(lambda: job.count == 2)
        await asyncio.sleep(0.05)
    [run] = await runs.all()
    assert (run.name, run.error) == ("count", None)
    assert run.finished_at is not None


async def test_a_new_leader_repeats_at_once_what_failed_under_the_old_one(
    runs: PostgresJobRuns, database_url: str
) -> None:
    clock, job = ManualClock(), Counted()
    job.broken = True
    async with scheduling(job, runs, database_url, clock=clock, every=timedelta(days=1)):
        await eventually(lambda: job.count == 1)
        await asyncio.sleep(0.1)
    async with scheduling(job, runs, database_url, clock=clock, every=timedelta(days=1)):
        await eventually(lambda: job.count == 2)
