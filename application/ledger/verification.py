"""Prove the books: every transaction balances and is what was posted, every balance is its sum,
every sealed day is as it was sealed.

The database promises all of this already, with constraints and triggers. The proof is for what
goes around them: a superuser, a restored backup, a fault of the database. It reads one snapshot,
holds a batch at a time, and can run while the shop is open.

There are two. `verify_ledger` reads everything and takes as long as the books are. `verify_recent`
reads the days since the last sealed one, and trusts the sums that were kept before them; what was
changed in older days is left to the other.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from application.ledger.day_sums import Sums, add_to
from application.ledger.sealed_days import SealedDays, SealRule
from application.ports.ledger_views import (
    AccountTotal,
    KeptSeal,
    LedgerSnapshot,
    LedgerViews,
    TransactionFault,
)
from domain.ledger.posting import PAYABLES
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
    `since` is the first day that was read, from which `transactions` and `entries` count; without
    it everything was.
    """

    sound: bool
    transactions: int
    entries: int
    sealed_days: int
    last_seal: str | None
    breach_count: int
    breaches: list[Breach]
    trial_balance: list[AccountTotal]
    since: date | None = None


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
    async with views.snapshot() as books:
        return await _prove(books, await books.seals(), after=None, progress=progress)


async def verify_recent(views: LedgerViews, *, progress: Progress = _silent) -> LedgerReport:
    """Read what was posted from the last sealed day on, and hold against it: that day's seal and
    checkpoint, the chain of all seals, all balances by their sums, and one by one those that were
    written without a posting.

    Books with fewer than two sealed days are read whole, and so are books whose checkpoints were
    written anew since: a restore, a rebuild, or a hand that went around the guards.
    """
    async with views.snapshot() as books:
        seals = await books.seals()
        after = seals[-2].seal.day if len(seals) > 1 else None
        if after is not None and await books.checkpoints_rewritten(since=after):
            after = None
        return await _prove(books, seals, after=after, progress=progress)


async def _prove(
    books: LedgerSnapshot, seals: Sequence[KeptSeal], *, after: date | None, progress: Progress
) -> LedgerReport:
    """`after` is a sealed day: its checkpoint is where the sums begin."""
    breaches = _Breaches()
    since = after + timedelta(days=1) if after else None
    sums = Sums(await books.checkpoint(after) if after else [])
    entries_before = sums.entries
    sealed = SealedDays(seals, report=breaches.add, after=after)
    transactions = 0
    day: Day | None = None
    async for batch in books.transactions(since=since):
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
    await _compare_balances(books, sums, breaches, after=after, progress=progress)
    counted = await books.count_entries(since=since)
    if orphans := counted - (sums.entries - entries_before):
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
        since=since,
    )


async def _compare_balances(
    books: LedgerSnapshot,
    sums: Sums,
    breaches: _Breaches,
    *,
    after: date | None,
    progress: Progress,
) -> None:
    """One by one, if everything is proved or their sums are not those of the postings."""
    agree = after is None or await _payables_agree(books, sums)
    compared, before = 0, breaches.count
    async for differences in books.balance_differences(
        written_apart_since=after if agree else None
    ):
        for found in differences:
            breaches.add(
                "kept_balance",
                f"{found.payee_id} {found.currency} {found.part}",
                f"{found.kept_cents} is kept, {found.posted_cents} was posted",
            )
        compared += 1
        progress("batches of balances", compared)
    if after is not None and not agree and breaches.count == before:
        message = "balances are their postings, but not what this checkpoint and later days sum to"
        breaches.add("checkpoint", after.isoformat(), message)


async def _payables_agree(books: LedgerSnapshot, sums: Sums) -> bool:
    kept = {
        (total.currency, total.account): total.total_cents for total in await books.payable_totals()
    }
    posted = {
        (total.currency, total.account): total.total_cents
        for total in sums.by_account()
        if total.account in PAYABLES and total.total_cents
    }
    return kept == posted


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
