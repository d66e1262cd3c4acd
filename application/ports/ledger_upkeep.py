"""What the books need done behind them: months made, days closed and sealed, sums kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from application.ports.ledger_views import AccountTotal
from domain.ledger.seal import Seal


class MonthsMade(msgspec.Struct, frozen=True, kw_only=True):
    """`unplaced` entries had found no month when they were posted; they are in theirs now."""

    months: int
    unplaced: int


class LedgerUpkeep(Protocol):
    """What only runs apart from any use case. Every step is a transaction of its own."""

    async def make_months(self, *, ahead_of: date, months: int) -> MonthsMade:
        """Make the partitions from `ahead_of`'s month on, and those that unplaced entries need."""
        ...

    async def close(self, through: date, *, at: datetime) -> date:
        """Let nothing more be posted on days up to `through`; answers the last day closed.

        Waits for what is being posted. Days are never opened again. Raises Conflict when the wait
        is too long.
        """
        ...

    async def unsealed(self, *, limit: int) -> Sequence[date]:
        """Closed days with postings and without a seal, in order."""
        ...

    async def last_seal(self) -> Seal | None: ...

    async def checkpoint(self, through: date | None) -> Sequence[AccountTotal]:
        """The sums of all accounts up to the end of a sealed day."""
        ...

    async def keep(self, seal: Seal, totals: Sequence[AccountTotal], *, at: datetime) -> None:
        """Add a seal and the checkpoint of its day. Raises AlreadyExists where another did."""
        ...

    async def replace_checkpoint(self, through: date, totals: Sequence[AccountTotal]) -> None: ...
