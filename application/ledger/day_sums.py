"""Add up the books while they are read: a day for its seal, all accounts for checkpoints."""

from collections import Counter
from collections.abc import Sequence

from application.ports.ledger_views import AccountTotal, TransactionBatch
from domain.ledger.seal import Day


class Sums:
    """What all accounts hold, in the order of the trial balance."""

    def __init__(self, totals: Sequence[AccountTotal] = ()) -> None:
        self._cents: Counter[tuple[str, str]] = Counter()
        self._entries: Counter[tuple[str, str]] = Counter()
        self.add(totals)

    def add(self, totals: Sequence[AccountTotal]) -> None:
        for total in totals:
            self._cents[total.currency, total.account] += total.total_cents
            self._entries[total.currency, total.account] += total.entries

    @property
    def entries(self) -> int:
        return self._entries.total()

    def by_account(self) -> list[AccountTotal]:
        return [
            AccountTotal(
                account=account,
                currency=currency,
                entries=self._entries[currency, account],
                total_cents=self._cents[currency, account],
            )
            for currency, account in sorted(self._entries)
        ]

    def by_currency(self) -> dict[str, int]:
        """Zero everywhere, if the books are sound."""
        sums: Counter[str] = Counter()
        for (currency, _), total_cents in self._cents.items():
            sums[currency] += total_cents
        return dict(sorted(sums.items()))


def add_to(day: Day, batch: TransactionBatch) -> None:
    day.add(batch.leaves, transactions=batch.transactions)
    day.entries += sum(total.entries for total in batch.totals)
    for volume in batch.volumes:
        day.volumes[volume.currency] = day.volumes.get(volume.currency, 0) + volume.credit_cents
