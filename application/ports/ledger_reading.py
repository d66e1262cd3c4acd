"""What administrators read of the books: accounts, entries, transactions, seals, who owes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.ledger_views import AccountTotal

EntryPlace = tuple[date, UUID, int]
"""Where an entry stands: its day, its transaction, its position. Lists are newest first."""
OwingPlace = tuple[datetime, UUID, str]


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """`summed_through` is the sealed day up to which sums were kept; later entries were read."""

    summed_through: date | None
    accounts: list[AccountTotal]


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`since` and `through` are days of the books, both included."""

    account: str | None = None
    payee_id: UUID | None = None
    order_id: UUID | None = None
    kind: str | None = None
    effect_key: str | None = None
    since: date | None = None
    through: date | None = None


class BookedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with the transaction that it belongs to. A positive amount is a credit."""

    transaction_id: UUID
    position: int
    account: str
    payee_id: UUID | None
    amount_cents: int
    currency: str
    effect_key: str
    kind: str
    order_id: UUID | None
    occurred_at: datetime
    posted_on: date

    @property
    def place(self) -> EntryPlace:
        return self.posted_on, self.transaction_id, self.position


class SealRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The seal of one day; `hash` vouches for it and for all days before."""

    number: int
    day: date
    hash: str
    previous_hash: str
    digest: str
    transactions: int
    entries: int
    volumes: dict[str, int]
    sealed_at: datetime


class Owing(msgspec.Struct, frozen=True, kw_only=True):
    """A payee whose available balance is below zero."""

    payee_id: UUID
    kind: str
    currency: str
    owed_cents: int
    owed_since: datetime
    pending_cents: int

    @property
    def place(self) -> OwingPlace:
        return self.owed_since, self.payee_id, self.currency


class BooksViews(Protocol):
    async def accounts(self) -> Accounts:
        """The trial balance, from the last checkpoint and what was posted since."""
        ...

    async def entries(
        self, wanted: EntryFilter, *, before: EntryPlace | None, limit: int
    ) -> Sequence[BookedEntry]: ...

    async def transaction(self, effect_key: str) -> Sequence[BookedEntry]:
        """Its entries by position. Raises NotFound."""
        ...

    async def seals(self, *, before: int | None, limit: int) -> Sequence[SealRecord]:
        """Newest first."""
        ...

    async def owing(self, *, after: OwingPlace | None, limit: int) -> Sequence[Owing]:
        """Who owes, the longest first."""
        ...
