"""kill -9 of a worker before every step that it takes outside itself, over one whole life.

The life: a payment is told, settles, is released after eight days, transferred to two payees, and
two fifths of it refunded, which both of them give back. Whoever comes after the dead worker ends
in the same books, and the provider has moved each sum once.
"""

import asyncio
import dataclasses
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.memory.sweeps import MemorySweepCursors
from application.ledger.fees import RECORD_FEE
from application.ledger.verification import verify_ledger
from application.ordering.checkout import CartItem, StartCheckout, start_checkout
from application.ordering.missed_events import sweep_missed_events
from application.ordering.refunds import RequestRefund, request_refund
from application.ordering.wishes import Shopper
from entrypoints.bootstrap import Ports, build_ports
from entrypoints.settings import Settings
from tests.builders import actor, market
from tests.faults import crossings
from tests.sandbox.server import Sandbox, running_sandbox
from tests.sandbox.shopping import GOOD_CARD

MESSAGE = {"send": 1, "claim": 1, "finish": 1}
STEPS = {
    "stripe": {**MESSAGE, "commit": 2},
    "orders.paid": {**MESSAGE, "commit": 1},
    "orders.collect_address": {**MESSAGE, "commit": 1},
    "invoices.issue": {**MESSAGE, "commit": 1},
    "invoices.credit": {**MESSAGE, "commit": 1},
    "release-earnings": {"commit": 4},
    "payments.record_fee": {**MESSAGE, "commit": 1},
    "transfers.send": {**MESSAGE, "transfer": 2, "commit": 2},
    "payments.send_refund": {**MESSAGE, "refund": 1, "commit": 1},
    "transfers.reverse": {**MESSAGE, "reverse_transfer": 2, "commit": 2},
    "orders.changed": {**MESSAGE, "commit": 1},
}
CROSSINGS = [
    f"{topic}: {step} {number + 1}"
    for topic, steps in STEPS.items()
    for step, times in steps.items()
    for number in range(times)
]

NOBODY = "http://127.0.0.1:9/"
"""An address for webhooks that never arrive; the sweep for missed events fetches them."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([crossings.__name__])


class Life:
    """One order from its payment to its refund, whatever happens to the worker."""

    def __init__(self, ports: Ports, settings: Settings, sandbox: Sandbox) -> None:
        self.ports = ports
        self.settings = settings
        self.sandbox = sandbox
        self.record = settings.data_dir / "crossings"
        self.deaths = 0
        self._worker: ForkServerProcess | None = None

    async def run(self, *, deadly: str | None) -> None:
        order_id = await self._paid_order()
        self._start_worker(deadly=deadly)
        await self._until("SELECT payment_status = 'paid' FROM orders")
        self._let_pass(timedelta(days=8))
        await self._until("SELECT count(*) = 2 FROM transfers WHERE state = 'sent'")
        await request_refund(
            order_id,
            RequestRefund(amount_cents=1000),
            request_key="refund",
            actor=actor(),
            uow=self.ports.uow(),
            clock=self.ports.clock,
            ids=self.ports.ids,
        )
        await self._until("SELECT count(*) = 2 FROM transfer_reversals WHERE state = 'done'")
        await self._until_nothing_is_left()

    async def hear_everything_again(self) -> None:
        """The provider repeats what it could not deliver; nothing more may come of it."""
        await self._sweep_missed_events()
        await self._until_nothing_is_left()

    def end(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.join()
            self._worker.close()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.settings.database_url.replace("+asyncpg", ""))
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def _paid_order(self) -> UUID:
        accounts = []
        for _ in ("creator", "store"):
            account = await self.ports.payee_accounts.open_account(
                payee_id=self.ports.ids.new(), email=None, country="US"
            )
            self.sandbox.control(f"stripe/accounts/{account}/complete_onboarding")
            accounts.append(account)
        shop = await market(
            self.ports.uow(), creator_account_id=accounts[0], store_account_id=accounts[1]
        )
        checkout = await start_checkout(
            StartCheckout(
                items=[CartItem(product_id=shop.products[0].id)],
                success_url="https://shop.example/ok",
                cancel_url="https://shop.example/no",
            ),
            request_key="order",
            shopper=Shopper(actor=actor()),
            uow=self.ports.uow(),
            payments=self.ports.payments,
            clock=self.ports.clock,
            ids=self.ports.ids,
            taxes=self.ports.taxes,
            seals=self.ports.seals,
            fees=self.ports.fees,
        )
        paid = self.sandbox.http.post(f"{checkout.url}/pay", data={"card": GOOD_CARD})
        assert paid.status_code == 303
        await self._sweep_missed_events()
        return checkout.order_id

    async def _sweep_missed_events(self) -> None:
        await sweep_missed_events(
            webhooks=self.ports.payment_webhooks,
            inbox=self.ports.inbox,
            cursors=MemorySweepCursors(),  # each looks back as far as the provider remembers
            clock=self.ports.clock,
        )

    def _let_pass(self, duration: timedelta) -> None:
        assert self.ports.clock_control is not None
        self.sandbox.control("clock", advance_seconds=int(duration.total_seconds()))
        self.ports.clock_control.advance(duration)

    def _start_worker(self, *, deadly: str | None = None, follows: bool = False) -> None:
        self._worker = PROCESSES.Process(
            target=crossings.work,
            args=(self.settings, self.record),
            kwargs={"deadly": deadly, "follows": follows},
            daemon=True,
        )
        self._worker.start()

    async def _until(self, query: str) -> None:
        deadline = time.monotonic() + 20
        while not (await self.rows(query))[0][0]:
            assert time.monotonic() < deadline, await self.rows(_LEFT)
            if self._worker is not None and not self._worker.is_alive():
                await self._replace_the_dead()
            await asyncio.sleep(0.01)

    async def _until_nothing_is_left(self) -> None:
        """A fee is asked for a minute after the payment, which may have been handled just now."""
        await self._until(
            f"SELECT NOT EXISTS (SELECT FROM ({_LEFT}) m WHERE topic <> '{RECORD_FEE}')"
        )
        self._let_pass(timedelta(minutes=10))
        await self._until(f"SELECT NOT EXISTS ({_LEFT})")

    async def _replace_the_dead(self) -> None:
        assert self._worker is not None
        assert self._worker.exitcode == -9, (self.settings.data_dir / "worker.log").read_text()
        self.deaths += 1
        self.end()
        for box in ("outbox_messages", "inbox_messages"):  # as time would, a minute or two later
            await self.rows(
                f"UPDATE {box} SET lease_until = now() - interval '1 second'"
                " WHERE lease_until IS NOT NULL"
            )
        self._start_worker(follows=True)


_LEFT = """
    SELECT topic, state, attempts, due_at, last_error FROM inbox_messages WHERE state <> 'done'
    UNION ALL
    SELECT topic, state, attempts, due_at, last_error FROM outbox_messages WHERE state <> 'done'
"""


@pytest.fixture(scope="module")
def unheard_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("--stripe-webhook-url", NOBODY) as sandbox:
        yield sandbox


@pytest.fixture
async def life(
    clean_database: str, clean_redis: str, unheard_sandbox: Sandbox, tmp_path: Path
) -> AsyncIterator[Life]:
    unheard_sandbox.control("reset")
    unheard_sandbox.control("webhooks", drop_rate=1.0)
    settings = dataclasses.replace(
        Settings.load(
            {
                "LIKENESS_DATA_DIR": str(tmp_path),
                "LIKENESS_DATABASE_URL": clean_database,
                "LIKENESS_REDIS_URL": clean_redis,
                "LIKENESS_SANDBOX_URL": unheard_sandbox.url,
                "LIKENESS_CLOCK_CONTROL": "on",
                "LIKENESS_WORKER_THREADS": "4",
            }
        )
    )
    ports = build_ports(settings)
    life = Life(ports, settings, unheard_sandbox)
    yield life
    life.end()
    await ports.aclose()


async def check_the_end(life: Life) -> None:
    """Nothing lost, nothing twice: in our books, at the provider, among the messages."""
    effects = await life.rows("SELECT kind, count(*) FROM ledger_transactions GROUP BY 1")
    assert dict(effects) == {
        "sale": 1,
        "processing_fee": 1,
        "release": 2,
        "reserve": 2,
        "transfer": 2,
        "refund": 1,
        "reversal": 2,
    }
    accounts = await life.rows("SELECT account, sum(amount_cents) FROM ledger_entries GROUP BY 1")
    assert {account: int(cents) for account, cents in accounts if cents} == {
        "platform_revenue": 150,
        "production_cost_payable": 570,
        "processing_fees": -103,
        "stripe_clearing": -617,
    }
    stripe = life.sandbox.state()["stripe"]
    assert [charge["amount"] for charge in stripe["charges"]] == [2500]
    assert [refund["amount"] for refund in stripe["refunds"]] == [1000]
    assert sorted(sent["amount"] for sent in stripe["transfers"]) == [250, 1050]
    assert sorted(back["amount"] for back in stripe["reversals"]) == [100, 420]
    report = await verify_ledger(life.ports.ledger_views)
    assert report.sound, report.breaches
    assert sum(total.total_cents for total in report.trial_balance) == 0
    assert await life.rows(_LEFT) == []


async def test_the_table_of_crossings_is_complete(life: Life) -> None:
    """A life without a death takes exactly the steps before which the workers below die."""
    await life.run(deadly=None)

    assert Counter(crossings.crossings_in(life.record)) == Counter(CROSSINGS)
    await life.hear_everything_again()
    await check_the_end(life)


@pytest.mark.parametrize("crossing", CROSSINGS)
async def test_whoever_follows_a_killed_worker_ends_in_the_same_books(
    life: Life, crossing: str
) -> None:
    await life.run(deadly=crossing)

    assert life.deaths == 1
    await life.hear_everything_again()
    await check_the_end(life)
