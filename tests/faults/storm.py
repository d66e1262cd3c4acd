"""A storm over the whole stack: orders live their lives while everything around them fails.

What fails, at random but repeatably: every process of ours is killed with SIGKILL, PostgreSQL
crashes, Redis is emptied and killed, the payment provider's answers are lost after it has acted,
its webhooks are doubled, shuffled and dropped. Buyers and sellers do what people do: they ask again
under the same key until they are answered.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from entrypoints.cli.demo.client import StoryStopped
from tests.faults.weather import PATIENCE_S, Misfortune, insisting, keyed
from tests.journeys.stack import Stack
from tests.sandbox.shopping import GOOD_CARD

LOST_ANSWERS = tuple(
    Misfortune("provider answers to be lost", "stripe", operation, "timeout_after_acceptance")
    for operation in (
        "POST /v1/checkout/sessions",
        "POST /v1/refunds",
        "POST /v1/transfers",
        "POST /v1/transfers/{id}/reversals",
    )
)
SHOP = "https://shop.example"


@dataclass
class Order:
    """One order: what the fan wants, and what of it is given back later."""

    shirts: int
    cards: int
    refunds_cents: tuple[int, ...]
    contested: bool = False
    id: UUID | None = None
    page: str = ""


def orders(count: int, *, chance: random.Random) -> list[Order]:
    made = []
    for _ in range(count):
        shirts, cards = chance.choice([(1, 0), (0, 1), (1, 1), (2, 1), (0, 3), (3, 2)])
        refunds = chance.choice([(), (), (), (150,), (100, 37)])
        contested = not refunds and chance.random() < 0.1
        made.append(Order(shirts, cards, refunds, contested))
    return made


@dataclass
class Trade:
    """All orders, from checkout to refund, and the comparison with the provider at the end."""

    stack: Stack
    orders: list[Order]
    say: Callable[[str], None]
    faults: list[str] = field(default_factory=list)

    def live(self) -> None:
        everybody = ThreadPoolExecutor(6)
        with everybody:
            self.say(f"{len(self.orders)} orders are placed and paid")
            list(everybody.map(self._buy, self.orders))
            self._until("paid", "SELECT count(*) FROM orders WHERE payment_status = 'paid'")
            self.say("eight days pass; earnings are released and transferred")
            insisting(lambda: self.stack.let_pass(days=8))
            self._until_none("transferred", _NOT_TRANSFERRED)
            refunded = [order for order in self.orders if order.refunds_cents]
            self.say(f"{len(refunded)} orders are refunded in part, some of them twice")
            list(everybody.map(self._refund, refunded))
            self._until_none("refunded", "SELECT 1 FROM refunds WHERE status = 'pending'")
            contested = [order for order in self.orders if order.contested]
            self.say(f"{len(contested)} payments are taken back by banks; half of them for good")
            list(everybody.map(self._contest, contested))
            count = f"SELECT count(*) >= {len(contested)} FROM disputes"
            self._await("contested", lambda: self.stack.rows(count) == [(True,)])
            for number, order in enumerate(contested):
                self._decide(order, "lost" if number % 2 else "won")
            self._until_none("decided", "SELECT 1 FROM orders WHERE dispute_status = 'open'")
            self._until_none(
                "given back", "SELECT 1 FROM transfer_reversals WHERE state = 'intended'"
            )

    def settle_down(self) -> None:
        """Until every message is done or parked; what was lost with a process is taken up again."""
        deadline = time.monotonic() + PATIENCE_S
        while waiting := insisting(self._unfinished):
            if time.monotonic() > deadline:
                self.faults.append(f"still not done: {waiting[:5]}")
                return
            insisting(self.stack.end_leases)
            insisting(lambda: self.stack.let_pass(minutes=2))
            time.sleep(0.5)

    def compare(self) -> dict[str, int]:
        """Each effect exactly once, here and at the provider; answers what was compared."""
        report = self.stack.verify()
        self.faults += [str(breach) for breach in report.breaches]
        if sum(total.total_cents for total in report.trial_balance):
            self.faults.append("the trial balance does not sum to zero")
        counts = {"orders": len(self.orders), "ledger entries": report.entries}
        for name, path, ours in (
            ("charges", "charges", "SELECT charge_id, total_cents FROM orders"),
            ("refunds", "refunds", "SELECT provider_id, amount_cents FROM refunds"),
            ("transfers", "transfers", "SELECT provider_id, amount_cents FROM transfers"),
        ):
            theirs = [(row["id"], row["amount"]) for row in self._all(path) if self._counts(row)]
            self._same(name, theirs, self.stack.rows(ours))
            counts[name] = len(theirs)
        reversals = [
            (row["id"], row["amount"])
            for transfer in self._all("transfers")
            if transfer["amount_reversed"]
            for row in self._all(f"transfers/{transfer['id']}/reversals")
        ]
        done = "SELECT provider_id, amount_cents FROM transfer_reversals WHERE state = 'done'"
        self._same("reversals", reversals, self.stack.rows(done))
        counts["reversals"] = len(reversals)
        posted = self.stack.rows(_ORDERS_WITHOUT_ONE_SALE)
        if posted:
            self.faults.append(f"orders that are not posted exactly once: {posted[:5]}")
        parked = Counter((topic, error) for topic, error in self.stack.rows(_PARKED))
        for (topic, error), times in parked.most_common():
            if not error:
                self.faults.append(f"parked without a reason: {topic}")
            self.say(f"parked {times} × {topic}: {error}")
        ended = Counter(row["status"] for row in self._all("disputes"))
        ours_ended = Counter({str(row[0]): row[1] for row in self.stack.rows(_DISPUTES_BY_STATUS)})
        if ended != ours_ended:
            self.faults.append(f"disputes ended as {dict(ended)}, here as {dict(ours_ended)}")
        counts["disputes"] = ended.total()
        counts["parked messages"] = parked.total()
        self._clearing_is_the_balance(report)
        return counts

    def _buy(self, order: Order) -> None:
        key, market = str(uuid4()), self.stack.market
        wanted = [(market.shirt, order.shirts), (market.card, order.cards)]
        body = {
            "items": [{"product_id": p, "quantity": n} for p, n in wanted if n],
            "success_url": f"{SHOP}/thanks",
            "cancel_url": f"{SHOP}/cart",
        }
        started = insisting(lambda: keyed(market.fan, "/checkout", body, key=key))
        order.id, order.page = UUID(started["order_id"]), started["url"]
        with httpx.Client(trust_env=False, timeout=30) as browser:
            insisting(lambda: _paid(browser.post(f"{order.page}/pay", data={"card": GOOD_CARD})))

    def _refund(self, order: Order) -> None:
        seller = self.stack.market.stores[0 if order.shirts else 1].person
        for cents in order.refunds_cents:
            key, body = str(uuid4()), {"amount_cents": cents}
            path = f"/orders/{order.id}/refunds"
            insisting(lambda body=body, key=key, path=path: keyed(seller, path, body, key=key))  # type: ignore[misc]

    def _contest(self, order: Order) -> None:
        rows = insisting(
            lambda: self.stack.rows("SELECT charge_id FROM orders WHERE id = $1", order.id)
        )
        self.stack.sandbox.control(f"stripe/charges/{rows[0][0]}/dispute")

    def _decide(self, order: Order, outcome: str) -> None:
        query = "SELECT provider_id FROM disputes WHERE order_id = $1"
        rows = insisting(lambda: self.stack.rows(query, order.id))
        self.stack.sandbox.control(f"stripe/disputes/{rows[0][0]}/close", outcome=outcome)

    def _until(self, what: str, count: str) -> None:
        self._await(what, lambda: self.stack.rows(count) == [(len(self.orders),)])

    def _until_none(self, what: str, query: str) -> None:
        self._await(what, lambda: not self.stack.rows(f"{query} LIMIT 1"))

    def _await(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not insisting(condition):
            if time.monotonic() > deadline:
                self.faults.append(f"not all {what} after {PATIENCE_S:.0f} s")
                return
            time.sleep(1)
            insisting(self.stack.end_leases)

    def _unfinished(self) -> list[tuple[Any, ...]]:
        return [row for row in self.stack.unfinished() if row[1] != "parked"]

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every object of a list of the provider's API."""
        after: dict[str, str] = {}
        while True:
            answer = self.stack.sandbox.http.get(
                f"{self.stack.sandbox.stripe_url}/v1/{path}",
                params={"limit": 100, **after},
                headers={"Authorization": "Bearer sk_test_sandbox"},
            )
            answer.raise_for_status()
            page = answer.json()
            yield from page["data"]
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}

    def _counts(self, row: dict[str, Any]) -> bool:
        return row["object"] != "charge" or bool(row["paid"])

    def _same(
        self, what: str, theirs: Sequence[tuple[str, int]], ours: Sequence[tuple[Any, ...]]
    ) -> None:
        difference = Counter(theirs)
        difference.subtract(Counter((str(row[0]), int(row[1])) for row in ours))
        wrong = {key: count for key, count in difference.items() if count}
        if wrong:
            self.faults.append(
                f"{what} differ from the provider's: {dict(list(wrong.items())[:5])}"
            )

    def _clearing_is_the_balance(self, report: Any) -> None:
        balance = self.stack.sandbox.state()["stripe"]["balance"]
        theirs = sum(row["amount"] for part in ("available", "pending") for row in balance[part])
        ours = sum(t.total_cents for t in report.trial_balance if t.account == "stripe_clearing")
        if theirs != -ours:
            self.faults.append(f"the provider holds {theirs} cents for us, the books say {-ours}")


def _paid(answer: httpx.Response) -> None:
    if answer.status_code != 303:
        raise StoryStopped(f"the payment page answered {answer.status_code}")


_NOT_TRANSFERRED = """
    SELECT 1 FROM earnings e WHERE state <> 'settled' AND NOT EXISTS (
        SELECT FROM transfers t
        WHERE t.order_id = e.order_id AND t.payee_id = e.payee_id AND t.state = 'sent'
    )
"""
_DISPUTES_BY_STATUS = "SELECT status, count(*)::int FROM disputes GROUP BY 1"
_ORDERS_WITHOUT_ONE_SALE = """
    SELECT o.id FROM orders o
    LEFT JOIN ledger_transactions t ON t.order_id = o.id AND t.kind = 'sale'
    GROUP BY o.id HAVING count(t.id) <> 1
"""
_PARKED = """
    SELECT topic, last_error FROM outbox_messages WHERE state = 'parked'
    UNION ALL SELECT topic, last_error FROM inbox_messages WHERE state = 'parked'
"""
