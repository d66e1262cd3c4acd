"""Close days of the books, seal them, and keep the sums that make reading them quick.

A day is closed some hours after it has ended. What occurred on it and is posted later goes to the
first open day. A closed day is read once, sealed, and the sums of all accounts up to its end are
kept as a checkpoint. A day that is not what was posted is never sealed.
"""

from datetime import date, timedelta

import msgspec

from application.ledger.day_sums import Sums, add_to
from application.ports.clock import Clock
from application.ports.ledger_upkeep import LedgerUpkeep, MonthsMade
from application.ports.ledger_views import LedgerViews
from application.ports.repository import AlreadyExists
from domain.ledger.seal import Day, Seal, seal
from domain.shared.errors import Conflict

CLOSES_AFTER = timedelta(hours=2)
"""Into the next day (UTC): what was under way at midnight is posted by then."""
MONTHS_AHEAD = 3
_DAYS_AT_ONCE = 100


class LedgerUnsound(Conflict):
    """A day of the books is not what was posted: it cannot be sealed. Run `ledger verify`."""

    code = "ledger_unsound"


class ClosedBooks(msgspec.Struct, frozen=True, kw_only=True):
    """`sealed_days` are new. Keep `last_hash` elsewhere: it vouches for all days up to its own."""

    closed_through: date
    sealed_days: list[date]
    last_number: int | None
    last_day: date | None
    last_hash: str | None


async def make_months(*, upkeep: LedgerUpkeep, clock: Clock) -> MonthsMade:
    """Have partitions ready before they are needed."""
    return await upkeep.make_months(ahead_of=clock.now().date(), months=MONTHS_AHEAD)


async def close_books(*, upkeep: LedgerUpkeep, views: LedgerViews, clock: Clock) -> ClosedBooks:
    """Close the days that are over, and seal those that are not sealed yet.

    Two that do it at once do no harm. Raises LedgerUnsound, and Conflict while the books are busy.
    """
    now = clock.now()
    yesterday = (now - CLOSES_AFTER).date() - timedelta(days=1)
    closed_through = await upkeep.close(yesterday, at=now)
    last = await upkeep.last_seal()
    sealed: list[date] = []
    while days := await upkeep.unsealed(limit=_DAYS_AT_ONCE):
        sums = Sums(await upkeep.checkpoint(last.day) if last else [])
        for day in days:
            made = seal(await _read(day, sums, views=views), after=last)
            try:
                await upkeep.keep(made, sums.by_account(), at=now)
            except AlreadyExists:
                return _closed(closed_through, sealed, await upkeep.last_seal())
            sealed.append(day)
            last = made
    return _closed(closed_through, sealed, last)


async def rebuild_checkpoints(*, upkeep: LedgerUpkeep, views: LedgerViews) -> int:
    """Compute the sums of every sealed day again from the postings; answers how many days."""
    sums, days = Sums(), 0
    async with views.snapshot() as books:
        seals = await books.seals()
    for kept in seals:
        await _read(kept.seal.day, sums, views=views)
        await upkeep.replace_checkpoint(kept.seal.day, sums.by_account())
        days += 1
    return days


async def _read(day: date, sums: Sums, *, views: LedgerViews) -> Day:
    read = Day(day)
    async with views.snapshot() as books:
        async for batch in books.transactions(since=day, through=day):
            for fault in batch.faults:
                raise LedgerUnsound(
                    f"{fault.effect_key} is not as it was posted ({fault.fault}).",
                    effect_key=fault.effect_key,
                )
            sums.add(batch.totals)
            add_to(read, batch)
    return read


def _closed(through: date, sealed: list[date], last: Seal | None) -> ClosedBooks:
    return ClosedBooks(
        closed_through=through,
        sealed_days=sealed,
        last_number=last.number if last else None,
        last_day=last.day if last else None,
        last_hash=last.hash if last else None,
    )
