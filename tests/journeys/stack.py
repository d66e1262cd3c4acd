"""The whole stack as `likeness up` runs it, in a folder of its own, with a market that is open.

Servers, API, worker, relay and scheduler are real processes; the providers are the sandbox over
HTTP. Only the drawing and training of the played image providers is quicker than by default.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from adapters.postgres.engine import open_engine
from adapters.postgres.verification import PostgresLedgerViews
from application.ledger.verification import LedgerReport, verify_ledger
from entrypoints.cli.demo.story import Market, Story
from entrypoints.local.ports import any_free_port
from entrypoints.local.processes import Roll
from entrypoints.local.server import silent
from entrypoints.local.stack import embedded_postgres, embedded_redis
from entrypoints.settings import Settings
from tests.infrastructure import ROOT
from tests.sandbox.server import Sandbox, running_sandbox

QUICK_SANDBOX = ("--drawing-delay-s", "0.02", "--training-delay-s", "0.1")
START_TIMEOUT_S = 100.0
_UP = "Ctrl-C stops everything"


@dataclass
class Stack:
    settings: Settings
    sandbox: Sandbox
    story: Story

    @cached_property
    def market(self) -> Market:
        """Opened once; whoever trades on it brings orders of his own."""
        return self.story.open_market()

    @property
    def database_url(self) -> str:
        """For asyncpg."""
        return embedded_postgres(self.settings).plain_url

    @property
    def redis_url(self) -> str:
        return embedded_redis(self.settings).url

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        async def fetch() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.database_url)
            try:
                return [tuple(row) for row in await connection.fetch(query, *values)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def verify(self) -> LedgerReport:
        async def read() -> LedgerReport:
            engine = open_engine(embedded_postgres(self.settings).url)
            try:
                return await verify_ledger(PostgresLedgerViews(engine))
            finally:
                await engine.dispose()

        return asyncio.run(read())

    def let_pass(self, **duration: int) -> None:
        """Time, for every process and for the sandbox: `days=8`, `minutes=3`."""
        seconds = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
        total_s = sum(seconds[unit] * amount for unit, amount in duration.items())
        answer = self.sandbox.http.post(
            f"{self.settings.base_url}/api/v1/dev/clock", json={"advance_seconds": total_s}
        )
        answer.raise_for_status()
        if "market" in self.__dict__:
            for person in (*self.market.people, self.market.fan):
                person.get("/auth/me")  # whoever stays away for a month has to sign in again

    def pid_of(self, part: str) -> int:
        """The latest process of that name which the supervisor has started."""
        roll = Roll(self.settings.data_dir / "supervisor.processes.jsonl")
        return [record.pid for record in roll.running() if record.name == part][-1]

    def end_leases(self) -> int:
        """What queue or worker have lost is sent again, as half a minute or a minute would do it.

        Answers how many messages somebody had. Whoever is still at work finishes nothing.
        """
        return sum(
            len(
                self.rows(
                    f"UPDATE {box} SET lease_until = now() - interval '1 second'"
                    " WHERE lease_until IS NOT NULL RETURNING 1"
                )
            )
            for box in ("inbox_messages", "outbox_messages")
        )

    def unfinished(self) -> list[tuple[Any, ...]]:
        """Messages that are not done, whatever they wait for."""
        return self.rows(_UNFINISHED)

    def settle_down(self) -> None:
        """Until every message is done; what is planned for later or tried again becomes due."""

        def all_done() -> bool:
            waiting = self.unfinished()
            parked = [row for row in waiting if row[1] == "parked"]
            assert not parked, parked
            if any(state == "pending" for _, state, *_ in waiting):
                self.let_pass(minutes=2)
            return not waiting

        eventually(all_done, every_s=0.3, timeout_s=60, what=self.unfinished)

    def check_books(self) -> None:
        """What holds after every journey, whatever happened on the way."""
        self.settle_down()
        report = self.verify()
        assert report.sound, report.breaches
        assert sum(total.total_cents for total in report.trial_balance) == 0
        self._check_against_the_provider(report)

    def postings(self, orders: list[UUID]) -> Counter[tuple[str, str]]:
        """(account, payee) → cents, over all transactions of these orders."""
        found = self.rows(
            "SELECT e.account, coalesce(e.payee_id::text, ''), sum(e.amount_cents)::bigint "
            "FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id "
            "WHERE t.order_id = ANY($1) GROUP BY 1, 2",
            orders,
        )
        return Counter({(account, payee): cents for account, payee, cents in found if cents})

    def _check_against_the_provider(self, report: LedgerReport) -> None:
        """The clearing account is the mirror of the platform's own balance at the provider."""
        balance = self.sandbox.state()["stripe"]["balance"]
        theirs = sum(row["amount"] for part in ("available", "pending") for row in balance[part])
        ours = sum(t.total_cents for t in report.trial_balance if t.account == "stripe_clearing")
        assert theirs == -ours


_UNFINISHED = """
    SELECT topic, state, attempts, last_error FROM outbox_messages WHERE state <> 'done'
    UNION ALL SELECT topic, state, attempts, last_error FROM inbox_messages WHERE state <> 'done'
"""


@contextmanager
def running_stack(data_dir: Path, **environ: str) -> Iterator[Stack]:
    """`likeness up` in `data_dir`; names of settings without their prefix add to its own."""
    port = any_free_port()
    webhooks = f"http://127.0.0.1:{port}/api/v1/webhooks"
    data_dir.mkdir(parents=True, exist_ok=True)
    with running_sandbox(
        *QUICK_SANDBOX,
        *("--stripe-webhook-url", f"{webhooks}/stripe"),
        *("--stripe-connect-webhook-url", f"{webhooks}/stripe-connect"),
    ) as sandbox:
        given = {
            "LIKENESS_DATA_DIR": str(data_dir),
            "LIKENESS_PORT": str(port),
            "LIKENESS_BASE_URL": f"http://127.0.0.1:{port}",
            "LIKENESS_SANDBOX_URL": sandbox.url,
            "LIKENESS_RATE_LIMITS": "off",
            "LIKENESS_CLOCK_CONTROL": "on",
            **{f"LIKENESS_{name}": value for name, value in environ.items()},
        }
        log = data_dir / "up.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "entrypoints.cli.main", "up"],
                cwd=ROOT,
                env={**os.environ, **given},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually(
                lambda: process.poll() is not None or _UP in log.read_text(errors="replace"),
                timeout_s=START_TIMEOUT_S,
                what=lambda: log.read_text(errors="replace")[-2000:],
            )
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            with closing(Story(given["LIKENESS_BASE_URL"], tell=silent)) as story:
                yield Stack(Settings.load(given), sandbox, story)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def eventually(
    condition: Callable[[], object],
    *,
    timeout_s: float = 30,
    every_s: float = 0.05,
    what: Callable[[], object] = str,
) -> None:
    """Wait for what happens in another process; `what` tells how it stands when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {timeout_s} s: {what()}"
        time.sleep(every_s)
