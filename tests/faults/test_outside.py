"""The outside world on its bad days, over the whole stack: the books end as on a good one."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import redis

from entrypoints.local.stack import embedded_postgres
from tests.journeys.stack import Stack, eventually
from tests.sandbox.shopping import GOOD_CARD

SHOP = "https://shop.example"
BASKETS = [(1, 1), (2, 0), (0, 3), (3, 2), (1, 4)]
"""Shirts and cards."""


class Checkout:
    """An order of the fan's, and the page on which it is paid."""

    def __init__(self, stack: Stack, *, shirts: int = 1, cards: int = 0) -> None:
        self.stack = stack
        market = stack.market
        wanted = [(market.shirt, shirts), (market.card, cards)]
        started = market.fan.post(
            "/checkout",
            {
                "items": [{"product_id": p, "quantity": n} for p, n in wanted if n],
                "success_url": f"{SHOP}/thanks",
                "cancel_url": f"{SHOP}/cart",
            },
        )
        self.order_id = UUID(started["order_id"])
        self.url: str = started["url"]
        self.sells_shirts = shirts > 0

    def pay(self) -> None:
        answer = self.stack.sandbox.http.post(f"{self.url}/pay", data={"card": GOOD_CARD})
        assert answer.status_code == 303

    def refund(self, amount_cents: int) -> None:
        seller = self.stack.market.stores[0 if self.sells_shirts else 1].person
        seller.post(f"/orders/{self.order_id}/refunds", {"amount_cents": amount_cents})


class Trade:
    """Orders from checkout to refund, together, and what became of them."""

    def __init__(self, stack: Stack, checkouts: list[Checkout]) -> None:
        self.stack = stack
        self.checkouts = checkouts
        self.order_ids = [checkout.order_id for checkout in checkouts]

    @classmethod
    def of(cls, stack: Stack, baskets: list[tuple[int, int]]) -> "Trade":
        checkouts = [Checkout(stack, shirts=shirts, cards=cards) for shirts, cards in baskets]
        return cls(stack, checkouts)

    def pay(self) -> None:
        for checkout in self.checkouts:
            checkout.pay()

    def await_paid(self) -> None:
        self._await("SELECT count(*) FROM orders WHERE payment_status = 'paid' AND id = ANY($1)")

    def pay_out(self) -> None:
        """Eight days later every payee of every order has its transfer."""
        self.stack.let_pass(days=8)
        unsent = (
            "SELECT payee_id FROM earnings e WHERE order_id = ANY($1) AND NOT EXISTS"
            " (SELECT FROM transfers t WHERE t.order_id = e.order_id"
            " AND t.payee_id = e.payee_id AND t.state = 'sent')"
        )
        self._await_none(unsent)

    def refund(self, amount_cents: int) -> None:
        for checkout in self.checkouts:
            checkout.refund(amount_cents)
        self._await(
            "SELECT count(DISTINCT order_id) FROM refunds"
            " WHERE status = 'succeeded' AND order_id = ANY($1)"
        )
        self._await_none(
            "SELECT id FROM transfer_reversals WHERE state <> 'done' AND order_id = ANY($1)"
        )

    def whole_life(self) -> None:
        self.pay()
        self.await_paid()
        self.pay_out()
        self.refund(300)

    def check_that_each_effect_is_there_once(self) -> None:
        """The provider's list of movements is ours, one by one."""
        self.stack.check_books()
        asked = self._of_the_provider()
        assert asked["charges"] == [(1, order_id) for order_id in sorted(self.order_ids)]
        for movement, table, state in (
            ("refunds", "refunds", "status = 'succeeded'"),
            ("transfers", "transfers", "state = 'sent'"),
            ("reversals", "transfer_reversals", "state = 'done'"),
        ):
            ours = self.stack.rows(
                f"SELECT provider_id, amount_cents FROM {table}"
                f" WHERE {state} AND order_id = ANY($1)",
                self.order_ids,
            )
            assert sorted(asked[movement]) == sorted(ours), movement

    def postings(self) -> Counter[tuple[str, str]]:
        return self.stack.postings(self.order_ids)

    def _of_the_provider(self) -> dict[str, list[Any]]:
        stripe = self.stack.sandbox.state()["stripe"]
        groups = {f"order_{order_id}": order_id for order_id in self.order_ids}
        charges = [c for c in stripe["charges"] if c["transfer_group"] in groups and c["paid"]]
        transfers = [t for t in stripe["transfers"] if t["transfer_group"] in groups]
        per_order = Counter(groups[charge["transfer_group"]] for charge in charges)
        ids = {one["id"] for one in (*charges, *transfers)}
        return {
            "charges": [(per_order[order_id], order_id) for order_id in sorted(per_order)],
            "refunds": [(r["id"], r["amount"]) for r in stripe["refunds"] if r["charge"] in ids],
            "transfers": [(t["id"], t["amount"]) for t in transfers],
            "reversals": [
                (r["id"], r["amount"]) for r in stripe["reversals"] if r["transfer"] in ids
            ],
        }

    def _await(self, count: str) -> None:
        """Until the query counts every order."""
        expected = [(len(self.order_ids),)]
        eventually(
            lambda: self.stack.rows(count, self.order_ids) == expected,
            every_s=0.1,
            timeout_s=60,
            what=self.stack.unfinished,
        )

    def _await_none(self, query: str) -> None:
        eventually(
            lambda: not self.stack.rows(query, self.order_ids),
            every_s=0.1,
            timeout_s=60,
            what=self.stack.unfinished,
        )


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that stands still, as on a machine without breath."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def sound_stack(stack: Stack) -> Iterator[Stack]:
    """The stack, before and after which the outside world is well."""
    yield stack
    stack.sandbox.control("webhooks")
    stack.sandbox.http.delete(f"{stack.sandbox.url}/control/failures")


def test_webhooks_thrice_shuffled_and_a_third_lost_leave_the_same_books(
    sound_stack: Stack,
) -> None:
    good_day = Trade.of(sound_stack, BASKETS)
    good_day.whole_life()

    bad_day = Trade.of(sound_stack, BASKETS * 4)
    sound_stack.sandbox.control("webhooks", copies=3, shuffle=True, drop_rate=0.33, seed=7)
    bad_day.whole_life()

    good_day.check_that_each_effect_is_there_once()
    bad_day.check_that_each_effect_is_there_once()
    counts = sound_stack.sandbox.state()["deliveries"]["counts"]
    assert counts["dropped"] > 10
    expected = {key: 4 * cents for key, cents in good_day.postings().items()}
    assert bad_day.postings() == expected


def test_redis_may_be_flushed_while_orders_are_being_paid(sound_stack: Stack) -> None:
    trade = Trade.of(sound_stack, [(1, 1)] * 20)
    just_before, just_after = trade.checkouts[:10], trade.checkouts[10:]

    with redis.from_url(sound_stack.redis_url) as client:
        with stopped(sound_stack.pid_of("worker")):
            for checkout in just_before:
                checkout.pay()
            eventually(lambda: client.exists("queue:webhooks"))
            client.flushall()
        for checkout in just_after:
            checkout.pay()
    assert sound_stack.end_leases() > 0

    trade.await_paid()
    trade.pay_out()
    trade.check_that_each_effect_is_there_once()


def test_everybody_recovers_when_the_database_restarts(sound_stack: Stack) -> None:
    trade = Trade.of(sound_stack, [(1, 1)] * 6)
    for checkout in trade.checkouts[:3]:
        checkout.pay()

    lock = embedded_postgres(sound_stack.settings).cluster / "postmaster.pid"
    postmaster = int(lock.read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)  # at once, as in a crash
    eventually(lambda: not is_running(postmaster))
    for checkout in trade.checkouts[3:]:
        checkout.pay()

    health = f"{sound_stack.settings.base_url}/health/ready"
    eventually(lambda: sound_stack.sandbox.http.get(health).status_code == 200)
    sound_stack.end_leases()
    trade.await_paid()
    trade.pay_out()
    trade.check_that_each_effect_is_there_once()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_answer_that_is_lost_after_the_effect_does_not_repeat_it(sound_stack: Stack) -> None:
    operations = [
        "POST /v1/checkout/sessions",
        "POST /v1/refunds",
        "POST /v1/transfers",
        "POST /v1/transfers/{id}/reversals",
    ]
    for operation in operations:
        sound_stack.sandbox.control(
            "failures",
            provider="stripe",
            operation=operation,
            kind="timeout_after_acceptance",
            times=2,
        )

    trade = Trade.of(sound_stack, [(1, 1)] * 2)
    trade.whole_life()

    armed = sound_stack.sandbox.http.get(f"{sound_stack.sandbox.url}/control/failures").json()
    assert armed == []
    trade.check_that_each_effect_is_there_once()
