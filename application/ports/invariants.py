"""What must never be so, asked of the database, and what was last found."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

MOST_COUNTED = 1000
MOST_NAMED = 20


class Invariant(StrEnum):
    """Each is broken by anything that its check finds. The first two come of the proof of recent
    books, the third of the proof of all of them, the others of one bounded question each."""

    LEDGER_SUMS = "ledger_sums"
    KEPT_BALANCES = "kept_balances"
    BOOKS_PROVED = "books_proved"
    INBOX_FLOWS = "inbox_flows"
    OUTBOX_FLOWS = "outbox_flows"
    NOTHING_PARKED = "nothing_parked"
    TRANSFERS_END = "transfers_end"
    REVERSALS_END = "reversals_end"
    REFUNDS_END = "refunds_end"
    PAYOUTS_END = "payouts_end"
    PAID_ORDERS_ARE_BOOKED = "paid_orders_are_booked"
    BOOKED_SALES_ARE_PAID = "booked_sales_are_paid"
    EARNINGS_ARE_PAID_FOR = "earnings_are_paid_for"
    DEBTS_ARE_YOUNG = "debts_are_young"
    PROVIDER_AGREES = "provider_agrees"
    RECONCILIATIONS_END = "reconciliations_end"
    WALLETS_AGREE = "wallets_agree"
    HOLDS_END = "holds_end"
    BOUGHT_CREDITS_ARE_BOOKED = "bought_credits_are_booked"


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: from when it has been so, where that is known."""

    subject: str
    since: datetime | None = None
    detail: str | None = None


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """`count` goes up to a thousand, `violations` name the twenty oldest."""

    name: Invariant
    holds: bool
    count: int
    oldest_age_s: float | None
    violations: list[Violation]
    checked_at: datetime


class InvariantChecks(Protocol):
    async def violations(self, invariant: Invariant, *, now: datetime) -> Sequence[Violation]:
        """The oldest first, up to `MOST_COUNTED`. Not for what the proofs of the books tell."""
        ...

    async def keep(self, results: Sequence[CheckResult]) -> None:
        """In place of the results before of the same invariants."""
        ...

    async def latest(self) -> list[CheckResult]:
        """What was last kept of each, by name."""
        ...
