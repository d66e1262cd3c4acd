"""Hold what is read of the books against the seals and checkpoints that were made of it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

from application.ledger.day_sums import Sums
from application.ports.ledger_views import AccountTotal, KeptSeal
from domain.ledger.seal import NO_SEAL, Day

SealRule = Literal["seal_chain", "sealed_day", "checkpoint"]
Report = Callable[[SealRule, str, str], None]


class SealedDays:
    """Days are shown in order; every seal is met by its day, or told as broken.

    `after` is the last day that will not be shown: up to it, seals are held against each other.
    """

    def __init__(
        self, seals: Sequence[KeptSeal], *, report: Report, after: date | None = None
    ) -> None:
        self._seals = {
            kept.seal.day: kept for kept in seals if after is None or kept.seal.day > after
        }
        self._last: date | None = seals[-1].seal.day if seals else None
        self._report = report
        self._check_chain(seals)

    def seals(self, day: date) -> bool:
        return day in self._seals

    def compare(self, found: Day, sums: Sums, kept: Sequence[AccountTotal]) -> None:
        """A whole day as it is now, and all accounts at its end."""
        subject = found.day.isoformat()
        sealed = self._seals.pop(found.day, None)
        if sealed is None:
            if self._last is not None and found.day <= self._last:
                self._report("sealed_day", subject, "postings on a day that was sealed without any")
            return
        seal = sealed.seal
        if found.digest != seal.digest:
            message = f"{found.transactions} transactions are not the {seal.transactions} sealed"
            self._report("sealed_day", subject, message)
        elif (found.transactions, found.entries, found.volumes) != (
            seal.transactions,
            seal.entries,
            dict(seal.volumes),
        ):
            self._report("sealed_day", subject, "the sealed counts or totals are not the day's")
        if list(kept) != sums.by_account():
            self._report("checkpoint", subject, "the sums kept are not those of the postings")

    def finish(self) -> None:
        for day in sorted(self._seals):
            self._report("sealed_day", day.isoformat(), "the postings of this day are gone")

    def _check_chain(self, seals: Sequence[KeptSeal]) -> None:
        previous, number, day = NO_SEAL, 0, date.min
        for kept in seals:
            seal = kept.seal
            subject = f"seal {seal.number} of {seal.day.isoformat()}"
            if kept.hash != seal.hash:
                self._report("seal_chain", subject, "its hash is not that of what it says")
            if seal.previous_hash != previous or seal.number != number + 1 or seal.day <= day:
                self._report("seal_chain", subject, "it does not follow the seal before it")
            previous, number, day = kept.hash, seal.number, seal.day
