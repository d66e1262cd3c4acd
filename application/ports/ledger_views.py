"""What a proof of the books reads: facts of every transaction and balance, at one instant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from domain.ledger.seal import Seal


class AccountTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the trial balance; positive is a credit."""

    account: str
    currency: str
    entries: int
    total_cents: int


class CurrencyVolume(msgspec.Struct, frozen=True, kw_only=True):
    currency: str
    credit_cents: int


class KeptSeal(msgspec.Struct, frozen=True, kw_only=True):
    """A seal and the hash that is kept with it."""

    seal: Seal
    hash: str


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
    """Transactions of one day, in order of their ids. `leaves` are their hashes one after the
    other, as `domain.ledger.seal.leaf` makes them."""

    day: date
    transactions: int
    leaves: bytes
    totals: Sequence[AccountTotal]
    volumes: Sequence[CurrencyVolume]
    faults: Sequence[TransactionFault]


BalancePart = Literal["pending", "available", "reserved", "disputed", "lifetime"]


class BalanceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A payee's balance that is not the sum of its postings."""

    payee_id: UUID
    currency: str
    part: BalancePart
    kept_cents: int
    posted_cents: int


class PayableTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What all payees' balances say together, of the account that they keep."""

    account: str
    currency: str
    total_cents: int


class LedgerSnapshot(Protocol):
    """The books as they stood when the snapshot was opened, whatever is posted meanwhile."""

    def transactions(
        self, *, since: date | None = None, through: date | None = None
    ) -> AsyncIterator[TransactionBatch]:
        """Every transaction once, by day and id, in batches of bounded size."""
        ...

    async def seals(self) -> Sequence[KeptSeal]:
        """One for each sealed day, by number."""
        ...

    async def checkpoint(self, through: date) -> Sequence[AccountTotal]:
        """The sums kept for the end of a sealed day."""
        ...

    async def checkpoints_rewritten(self, *, since: date) -> bool:
        """Whether any was written, since the day `since` was sealed, other than with its seal."""
        ...

    def balance_differences(
        self, *, written_apart_since: date | None = None
    ) -> AsyncIterator[Sequence[BalanceDifference]]:
        """Balances that are not the sums of their postings; batches of bounded size, most of them
        empty. With a sealed day, only such are compared as were written since it was sealed by
        a transaction that posted nothing to the payee: there should be none."""
        ...

    async def payable_totals(self) -> Sequence[PayableTotal]:
        """By currency and account, without such as are zero."""
        ...

    async def count_entries(self, *, since: date | None = None) -> int:
        """All entries, also such as belong to no transaction."""
        ...


class LedgerViews(Protocol):
    def snapshot(self) -> AbstractAsyncContextManager[LedgerSnapshot]: ...
