"""Balances: money is pending until its settlement time passes, then available.

Per account and currency the available sum is kept and the pending amounts wait in a heap, so that
a balance is read without walking its history. Either may become negative.
"""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.stripe.table import Table

CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "transfer_refund": "transfer_reversal",
    "adjustment": "dispute",
}


def processing_fee_cents(amount_cents: int) -> int:
    """2.9 % + 30 cents, rounded half up."""
    return (amount_cents * 29 + 500) // 1000 + 30


@dataclass(slots=True)
class _Purse:
    available: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] = field(default_factory=Counter)
    waiting: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)


class Balances:
    """The purses of the platform and of every connected account."""

    def __init__(self, clock: SandboxClock, transactions: "Table") -> None:
        self._clock = clock
        self._transactions = transactions
        self._purses: defaultdict[str, _Purse] = defaultdict(_Purse)

    def post(
        self,
        account: str,
        *,
        identifier: str,
        kind: str,
        amount_cents: int,
        currency: str,
        source: str | None,
        fee_cents: int = 0,
        available_on: int | None = None,
        description: str | None = None,
    ) -> dict[str, Any]:
        """Book one movement, at once available unless `available_on` lies ahead."""
        now = self._clock.now()
        available_on = max(now, available_on or now)
        settled = available_on <= now
        net_cents = amount_cents - fee_cents
        fee_details = [
            {
                "amount": fee_cents,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
        transaction = {
            "id": identifier,
            "object": "balance_transaction",
            "amount": amount_cents,
            "available_on": available_on,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee_cents,
            "fee_details": fee_details if fee_cents else [],
            "net": net_cents,
            "reporting_category": CATEGORIES.get(kind, kind),
            "source": source,
            "status": "available" if settled else "pending",
            "type": kind,
        }
        self._transactions.add(account, transaction)
        purse = self._purses[account]
        if settled:
            purse.available[currency] += net_cents
        else:
            purse.pending[currency] += net_cents
            entry = (available_on, len(self._transactions), transaction)
            heapq.heappush(purse.waiting, entry)
        return transaction

    def available_cents(self, account: str, currency: str) -> int:
        return self._settled(account).available[currency]

    def total_cents(self, account: str, currency: str) -> int:
        purse = self._settled(account)
        return purse.available[currency] + purse.pending[currency]

    def as_object(self, account: str, *, default_currency: str) -> dict[str, Any]:
        purse = self._settled(account)
        currencies = sorted({default_currency, *purse.available, *purse.pending})

        def amounts(of: Counter[str]) -> list[dict[str, Any]]:
            return [
                {
                    "amount": of[currency],
                    "currency": currency,
                    "source_types": {"card": of[currency]},
                }
                for currency in currencies
            ]

        return {
            "object": "balance",
            "available": amounts(purse.available),
            "instant_available": amounts(purse.available),
            "pending": amounts(purse.pending),
            "livemode": False,
        }

    def is_empty(self, account: str) -> bool:
        purse = self._settled(account)
        return not any(purse.available.values()) and not any(purse.pending.values())

    def settle(self, account: str) -> None:
        """Bring the status of the account's transactions up to the clock."""
        self._settled(account)

    def _settled(self, account: str) -> _Purse:
        purse = self._purses[account]
        now = self._clock.now()
        while purse.waiting and purse.waiting[0][0] <= now:
            _, _, transaction = heapq.heappop(purse.waiting)
            transaction["status"] = "available"
            purse.pending[transaction["currency"]] -= transaction["net"]
            purse.available[transaction["currency"]] += transaction["net"]
        return purse
