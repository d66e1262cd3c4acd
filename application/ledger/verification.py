"""Prove the books: every transaction balances and is what was posted, every balance is its sum.

The database promises all of this already, with constraints and triggers. The proof is for what
goes around them: a superuser, a restored backup, a fault of the database. It reads one snapshot,
holds a batch at a time, and can run while the shop is open.
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from application.ports.ledger_views import AccountTotal, LedgerViews

MAX_LISTED = 1000

Rule = Literal["balances", "unaltered", "kept_balance", "no_orphans", "sums_to_zero"]


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is an effect key, a payee's balance or a currency."""

    rule: Rule
    subject: str
    message: str


class LedgerReport(msgspec.Struct, frozen=True, kw_only=True):
    """`breaches` lists the first thousand; `breach_count` counts them all. Sound means none."""

    sound: bool
    transactions: int
    entries: int
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


async def verify_ledger(
    views: LedgerViews, *, progress: Callable[[int], None] = lambda transactions: None
) -> LedgerReport:
    """Read all postings once and all balances once. `progress` hears how many transactions are
    done. Breaches are reported, never raised."""
    breaches = _Breaches()
    transactions = 0
    totals: Counter[tuple[str, str]] = Counter()
    entries: Counter[tuple[str, str]] = Counter()
    async with views.snapshot() as books:
        async for batch in books.transactions():
            transactions += batch.transactions
            for total in batch.totals:
                totals[total.currency, total.account] += total.total_cents
                entries[total.currency, total.account] += total.entries
            for fault in batch.faults:
                if fault.fault == "unbalanced":
                    message = f"{fault.entries} entries sum to {fault.total_cents}"
                    breaches.add("balances", fault.effect_key, message)
                else:
                    message = "the entries are not those that were posted"
                    breaches.add("unaltered", fault.effect_key, message)
            progress(transactions)
        async for differences in books.balance_differences():
            for found in differences:
                breaches.add(
                    "kept_balance",
                    f"{found.payee_id} {found.currency} {found.part}",
                    f"{found.kept_cents} is kept, {found.posted_cents} was posted",
                )
        counted = await books.count_entries()
    if counted != entries.total():
        orphans = counted - entries.total()
        breaches.add("no_orphans", "entries", f"{orphans} entries belong to no transaction")
    for currency, total_cents in sorted(_by_currency(totals).items()):
        if total_cents:
            breaches.add("sums_to_zero", currency, f"all accounts sum to {total_cents}")
    return LedgerReport(
        sound=breaches.count == 0,
        transactions=transactions,
        entries=counted,
        breach_count=breaches.count,
        breaches=breaches.listed,
        trial_balance=[
            AccountTotal(
                account=account,
                currency=currency,
                entries=entries[currency, account],
                total_cents=totals[currency, account],
            )
            for currency, account in sorted(entries)
        ],
    )


def _by_currency(totals: Counter[tuple[str, str]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (currency, _), total_cents in totals.items():
        sums[currency] += total_cents
    return sums
