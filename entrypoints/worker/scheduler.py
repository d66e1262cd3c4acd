"""Runs periodic jobs, in one process at a time.

Whoever holds the leadership runs them; the others wait to follow. A job never overlaps with
itself; one that is overdue (nobody led for a while) runs at once and then keeps its interval. For
some seconds after a leader lost its connection both may be at work, so jobs are idempotent too.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from application.messaging.retrying import described
from application.ports.clock import Clock
from application.ports.schedule import JobRuns, Leadership

_log = structlog.get_logger("likeness.scheduler")
_FIRST_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`run` is called every `every`, counted from start to start; sooner again after a failure."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]


class Scheduler:
    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        leadership: Leadership,
        runs: JobRuns,
        clock: Clock,
        look_every_s: float = 2.0,
    ) -> None:
        self._jobs = jobs
        self._leadership = leadership
        self._runs = runs
        self._clock = clock
        self._look_every_s = look_every_s
        self.leads = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Another process may lead as soon as this returns."""
        try:
            while not stop.is_set():
                if await self._leadership.try_take():
                    await self._lead(stop)
                else:
                    await _pause(stop, self._look_every_s)
        finally:
            await self._leadership.give_up()

    async def _lead(self, stop: asyncio.Event) -> None:
        self.leads = True
        _log.info("this process leads the schedule")
        keeping = [asyncio.create_task(self._keep(job)) for job in self._jobs]
        try:
            while not stop.is_set() and await self._leadership.still_held():
                await _pause(stop, self._look_every_s)
        finally:
            self.leads = False
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            _log.info("this process leads no more")

    async def _keep(self, job: Job) -> None:
        failures = 0
        due_at = await self._first_due(job)
        while True:
            await self._sleep_until(due_at)
            started_at = self._clock.now()
            if await self._run_once(job):
                failures = 0
                due_at = started_at + job.every
            else:
                failures += 1
                due_at = self._clock.now() + min(_FIRST_PAUSE * 2 ** min(failures, 10), job.every)

    async def _first_due(self, job: Job) -> datetime:
        while True:
            try:
                runs = await self._runs.all()
                break
            except Exception as error:  # noqa: BLE001 - the leader outlives its database
                _log.warning("the last runs are not to be had", error=described(error))
                await asyncio.sleep(self._look_every_s)
        for run in runs:
            if run.name == job.name and run.error is None and run.finished_at is not None:
                return run.started_at + job.every
        return self._clock.now()

    async def _sleep_until(self, due_at: datetime) -> None:
        # In small steps: the clock may be set forward meanwhile.
        while (left_s := (due_at - self._clock.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left_s, self._look_every_s))

    async def _run_once(self, job: Job) -> bool:
        failure: str | None = None
        try:
            await self._runs.started(job.name, now=self._clock.now())
            await job.run()
        except Exception as error:  # noqa: BLE001 - a job's failure must not end the others
            failure = described(error)
            _log.error("job failed", job=job.name, exc_info=error)
        with contextlib.suppress(Exception):  # told by the next run; the database may be away
            await self._runs.finished(job.name, now=self._clock.now(), error=failure)
        return failure is None


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
