"""A worker of the studio that is killed and replaced, beside a real API that hears the webhooks."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from entrypoints.bootstrap import Ports, build_ports
from entrypoints.local.ports import any_free_port
from entrypoints.settings import Settings
from tests.faults import studio_crossings
from tests.faults.studio_crossings import DIED, crossed_in
from tests.faults.studio_truth import HELD, Truth, truth_of
from tests.faults.studio_world import LONGER_THAN_ANY_SWEEP, stored_keys, sweep
from tests.infrastructure import ROOT
from tests.sandbox.server import Sandbox, running_sandbox

PATIENCE_S = 300.0
START_TIMEOUT_S = 150.0
STILL_FOR_S = 0.8
"""When nothing has moved for so long, time passes: retries, polls and looking for what was lost."""
NUDGE = timedelta(minutes=2)
QUICK = ("--drawing-delay-s", "0.1", "--training-delay-s", "0.1")
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([studio_crossings.__name__])


@dataclass
class Place:
    """An API, which nobody kills here, the sandbox, and where they keep what they have."""

    settings: Settings
    sandbox: Sandbox


@contextmanager
def open_place(folder: Path, database_url: str, redis_url: str) -> Iterator[Place]:
    port = any_free_port()
    with running_sandbox(*QUICK) as sandbox:
        given = {
            "LIKENESS_DATA_DIR": str(folder),
            "LIKENESS_DATABASE_URL": database_url,
            "LIKENESS_REDIS_URL": redis_url,
            "LIKENESS_SANDBOX_URL": sandbox.url,
            "LIKENESS_PORT": str(port),
            "LIKENESS_BASE_URL": f"http://127.0.0.1:{port}",
            "LIKENESS_RATE_LIMITS": "off",
            "LIKENESS_CLOCK_CONTROL": "on",
            "LIKENESS_WORKER_THREADS": "6",
        }
        with (folder / "api.log").open("wb") as log:
            api = subprocess.Popen(
                [sys.executable, "-m", "entrypoints.cli.main", "api"],
                cwd=ROOT,
                env={**os.environ, **given},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _await_answer(f"http://127.0.0.1:{port}/health/ready", api)
            yield Place(Settings.load(given), sandbox)
        finally:
            os.killpg(api.pid, signal.SIGKILL)
            api.wait()


def _await_answer(url: str, api: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            if httpx.get(url, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        assert api.poll() is None, "the API did not start"
        assert time.monotonic() < deadline, "the API does not answer"
        time.sleep(0.05)


class Life:
    def __init__(self, place: Place, ports: Ports, connection: Any, folder: Path) -> None:
        self.place = place
        self.ports = ports
        self.record = folder / "crossings"
        self.deaths = 0
        self._connection = connection
        self._worker: ForkServerProcess | None = None
        self._deadly: str | None = None

    @classmethod
    @asynccontextmanager
    async def begun(cls, place: Place, folder: Path) -> AsyncIterator["Life"]:
        """Nothing is stored, nobody has a request at a provider, and nothing is broken."""
        place.sandbox.control("reset")
        shutil.rmtree(place.settings.data_dir / "storage", ignore_errors=True)
        ports = build_ports(place.settings)
        connection = await asyncpg.connect(place.settings.database_url.replace("+asyncpg", ""))
        life = cls(place, ports, connection, folder)
        try:
            yield life
        finally:
            life.end_worker()
            place.sandbox.control("reset")
            await connection.close()
            await ports.aclose()

    def start_worker(self, *, deadly: str | None = None) -> None:
        """`deadly`: how the crossings begin at which it dies."""
        self._deadly = deadly
        self._worker = PROCESSES.Process(
            target=studio_crossings.work,
            args=(self.place.settings, self.record),
            kwargs={"deadly": deadly},
        )
        self._worker.start()

    def end_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.join()
            self._worker.close()
            self._worker = None

    def crossings_of(self, kind: str) -> set[str]:
        return {line for line in crossed_in(self.record) if line.startswith(f"{kind}/")}

    def spared(self, expected: Collection[str]) -> set[str]:
        """Those at which nobody has died yet."""
        return set(expected) - {
            line.removeprefix(DIED) for line in crossed_in(self.record) if line.startswith(DIED)
        }

    def story(self) -> str:
        """What is to be read when it went wrong."""
        log = (self.place.settings.data_dir / "worker.log").read_text()
        return "\n".join([*crossed_in(self.record)[-60:], log[-4000:]])

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self._connection.fetch(query, *values)]

    async def statuses(self, job_ids: Sequence[UUID]) -> list[str]:
        return [status for status, _ in await self.ends(job_ids)]

    async def ends(self, job_ids: Sequence[UUID]) -> list[tuple[str, str | None]]:
        found = await self.rows(
            "SELECT id, status, error_code FROM jobs WHERE id = ANY($1)", list(job_ids)
        )
        by_id = {job_id: (status, error) for job_id, status, error in found}
        return [by_id[job_id] for job_id in job_ids]

    async def until_ended(self, job_ids: Sequence[UUID], *, nudge: timedelta = NUDGE) -> None:
        """The jobs have ended, and nothing is left to be done."""
        open_ = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND id = ANY($1)"

        async def ended() -> bool:
            return await self.rows(open_, list(job_ids)) == [(0,)] and not await self._left()

        await self._until(ended, nudge=nudge)

    async def truth(self) -> Truth:
        """Everything that is left over has had the time to be found."""
        held = await self.rows(HELD)
        stored = await stored_keys(self.ports.storage)
        self.let_pass(LONGER_THAN_ANY_SWEEP)
        await sweep(self.ports, self.place.settings)
        await self._until(self._nothing_is_left)
        billed = self.place.sandbox.http.get(f"{self.place.sandbox.url}/control/billed").json()
        swept = await stored_keys(self.ports.storage)
        truth = await truth_of(
            self.place.settings.database_url, billed=billed, stored=stored, swept=swept
        )
        truth.forbid("credits that only a sweep gave back", held)
        return truth

    def let_pass(self, duration: timedelta) -> None:
        assert self.ports.clock_control is not None
        self.place.sandbox.control("clock", advance_seconds=int(duration.total_seconds()))
        self.ports.clock_control.advance(duration)

    async def _until(self, condition: Any, *, nudge: timedelta = NUDGE) -> None:
        deadline, moved_at, before = time.monotonic() + PATIENCE_S, time.monotonic(), ""
        while not await condition():
            now = time.monotonic()
            assert now < deadline, (await self._left(), self.story())
            if self._worker is not None and not self._worker.is_alive():
                await self._replace_the_dead()
                moved_at = time.monotonic()
            if (seen := str(await self.rows(_MOVING))) != before:
                before, moved_at = seen, now
            elif now - moved_at > STILL_FOR_S and await self.rows(_BUSY) == [(0,)]:
                self.let_pass(nudge)
                moved_at = now
            await asyncio.sleep(0.02)

    async def _nothing_is_left(self) -> bool:
        return not await self._left()

    async def _left(self) -> list[tuple[Any, ...]]:
        return await self.rows(_LEFT)

    async def _replace_the_dead(self) -> None:
        assert self._worker is not None
        assert self._worker.exitcode == -9, self.story()
        self.deaths += 1
        self.end_worker()
        for box in ("outbox_messages", "inbox_messages"):  # as time would, a minute or two later
            await self.rows(
                f"UPDATE {box} SET lease_until = now() - interval '1 second'"
                " WHERE lease_until IS NOT NULL"
            )
        self.start_worker(deadly=self._deadly)


_LEFT = """
    SELECT topic, state, attempts, last_error FROM inbox_messages WHERE state <> 'done'
    UNION ALL
    SELECT topic, state, attempts, last_error FROM outbox_messages WHERE state <> 'done'
    UNION ALL
    SELECT provider, status, number, error_code FROM attempts
    WHERE status IN ('planned', 'submitting', 'unknown', 'active')
"""
_BUSY = """
    SELECT (SELECT count(*) FROM outbox_messages WHERE state = 'running')
        + (SELECT count(*) FROM inbox_messages WHERE state = 'running')
"""
"""While somebody calls a provider the clock stands: minutes would be longer than any call takes."""
_MOVING = """
    SELECT (SELECT coalesce(sum(seq), 0) FROM jobs),
        (SELECT string_agg(status, ',' ORDER BY id) FROM attempts),
        (SELECT string_agg(state, ',' ORDER BY id) FROM outbox_messages WHERE state <> 'done'),
        (SELECT count(*) FROM inbox_messages WHERE state <> 'done')
"""
