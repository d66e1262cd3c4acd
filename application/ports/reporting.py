"""Reads of the books for people: a payee's postings, with what the sales behind them were."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.ordering.split import Leg


class Span(NamedTuple):
    """Days of the books, in UTC: from `since`, without `until`. What arrives late for a day that
    is closed is posted on a later one, so a span of closed days never changes."""

    since: date
    until: date


class EntryKey(NamedTuple):
    """Where an entry stands in the books."""

    posted_on: date
    transaction_id: UUID
    position: int


class PayeeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One posting to a payee; `account` is one of the four payables."""

    transaction_id: UUID
    position: int
    posted_on: date
    occurred_at: datetime
    kind: str
    effect_key: str
    order_id: UUID | None
    account: str
    amount_cents: int


class AccountMovement(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one account and kind of effect, before a span and within it."""

    account: str
    kind: str
    before_cents: int
    within_cents: int


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a payee's statement tells of an order line: nothing of who bought it."""

    order_id: UUID
    line_id: UUID
    title: str
    quantity: int
    legs: tuple[Leg, ...]


class StatementViews(Protocol):
    async def currency_of(self, payee_id: UUID) -> str | None:
        """The currency in which the payee earned most, if any."""
        ...

    async def movements(
        self, payee_id: UUID, *, currency: str, span: Span
    ) -> Sequence[AccountMovement]: ...

    async def entries(
        self, payee_id: UUID, *, currency: str, span: Span, after: EntryKey | None, limit: int
    ) -> Sequence[PayeeEntry]:
        """In the order of the books."""
        ...

    async def sold(self, order_ids: Collection[UUID], *, payee_id: UUID) -> Sequence[SoldLine]:
        """The lines of these orders of which the payee has a part."""
        ...
