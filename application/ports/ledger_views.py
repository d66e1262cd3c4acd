"""What a proof of the books reads: facts of every transaction and balance, at one instant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

import msgspec


class AccountTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the trial balance; positive is a credit."""

    account: str
    currency: str
    entries: int
    total_cents: int


class TransactionFault(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that should not be there as it is.

    `unbalanced`: its entries of some currency do not sum to zero, or they are fewer than two.
    `altered`: its entries are not those whose hash was kept when it was posted.
    """

    effect_key: str
    currency: str
    fault: Literal["unbalanced", "altered"]
    entries: int
    total_cents: int


class TransactionBatch(msgspec.Struct, frozen=True, kw_only=True):
    transactions: int
    totals: Sequence[AccountTotal]
    faults: Sequence[TransactionFault]


BalancePart = Literal["pending", "available", "reserved", "disputed", "lifetime"]


class BalanceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A payee's balance that is not the sum of its postings."""

    payee_id: UUID
    currency: str
    part: BalancePart
    kept_cents: int
    posted_cents: int


class LedgerSnapshot(Protocol):
    """The books as they stood when the snapshot was opened, whatever is posted meanwhile."""

    def transactions(self) -> AsyncIterator[TransactionBatch]:
        """Every transaction once, in batches of bounded size."""
        ...

    def balance_differences(self) -> AsyncIterator[Sequence[BalanceDifference]]:
        """Every payee's balance is compared; batches of bounded size, most of them empty."""
        ...

    async def count_entries(self) -> int:
        """All entries, also such as belong to no transaction."""
        ...


class LedgerViews(Protocol):
    def snapshot(self) -> AbstractAsyncContextManager[LedgerSnapshot]: ...
