"""Prove the books: every transaction balances and is what was posted, every balance is its sum,
every sealed day is as it was sealed.

The database promises all of this already, with constraints and triggers. The proof is for what
goes around them: a superuser, a restored backup, a fault of the database. It reads one snapshot,
holds a batch at a time, and can run while the shop is open.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from application.ledger.day_sums import Sums, add_to
from application.ledger.sealed_days import SealedDays, SealRule
from application.ports.ledger_views import (
    AccountTotal,
    LedgerSnapshot,
    LedgerViews,
    TransactionFault,
)
from domain.ledger.seal import Day

MAX_LISTED = 1000

Rule = Literal["balances", "unaltered", "kept_balance", "no_orphans", "sums_to_zero"] | SealRule
Progress = Callable[[str, int], None]


def _silent(stage: str, done: int) -> None:
    pass


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is an effect key, a payee's balance, a currency, a day or a seal."""

    rule: Rule
    subject: str
    message: str


class LedgerReport(msgspec.Struct, frozen=True, kw_only=True):
    """`breaches` lists the first thousand; `breach_count` counts them all. Sound means none.

    `last_seal` vouches for all sealed days: hold it against a copy that is kept elsewhere.
    """

    sound: bool
    transactions: int
    entries: int
    sealed_days: int
    last_seal: str | None
    breach_count: int
    breaches: list[Breach]
    trial_balance: list[AccountTotal]


class _Breaches:
    def __init__(self) -> None:
        self.count = 0
        self.listed: list[Breach] = []

    def add(self, rule: Rule, subject: str, message: str) -> None:
        self.count += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append(Breach(rule=rule, subject=subject, message=message))


async def verify_ledger(views: LedgerViews, *, progress: Progress = _silent) -> LedgerReport:
    """Read all postings once and all balances once. `progress` hears what is being read, and how
    many are done. Breaches are reported, never raised."""
    breaches = _Breaches()
    sums = Sums()
    transactions = 0
    async with views.snapshot() as books:
        seals = await books.seals()
        sealed = SealedDays(seals, report=breaches.add)
        day: Day | None = None
        async for batch in books.transactions():
            if day is None or day.day != batch.day:
                await _end(day, sums, sealed, books)
                day = Day(batch.day)
            transactions += batch.transactions
            sums.add(batch.totals)
            add_to(day, batch)
            for fault in batch.faults:
                _tell(fault, breaches)
            progress("transactions", transactions)
        await _end(day, sums, sealed, books)
        sealed.finish()
        compared = 0
        async for differences in books.balance_differences():
            for found in differences:
                breaches.add(
                    "kept_balance",
                    f"{found.payee_id} {found.currency} {found.part}",
                    f"{found.kept_cents} is kept, {found.posted_cents} was posted",
                )
            compared += 1
            progress("batches of balances", compared)
        counted = await books.count_entries()
    if counted != sums.entries:
        orphans = counted - sums.entries
        breaches.add("no_orphans", "entries", f"{orphans} entries belong to no transaction")
    for currency, total_cents in sums.by_currency().items():
        if total_cents:
            breaches.add("sums_to_zero", currency, f"all accounts sum to {total_cents}")
    return LedgerReport(
        sound=breaches.count == 0,
        transactions=transactions,
        entries=counted,
        sealed_days=len(seals),
        last_seal=seals[-1].hash if seals else None,
        breach_count=breaches.count,
        breaches=breaches.listed,
        trial_balance=sums.by_account(),
    )


async def _end(day: Day | None, sums: Sums, sealed: SealedDays, books: LedgerSnapshot) -> None:
    if day is not None:
        kept = await books.checkpoint(day.day) if sealed.seals(day.day) else []
        sealed.compare(day, sums, kept)


def _tell(fault: TransactionFault, breaches: _Breaches) -> None:
    if fault.fault == "unbalanced":
        message = f"{fault.entries} entries sum to {fault.total_cents}"
        breaches.add("balances", fault.effect_key, message)
    else:
        message = "the entries are not those that were posted"
        breaches.add("unaltered", fault.effect_key, message)
