"""Read the books: for administrators only."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from application.ports.ledger_reading import (
    Accounts,
    BookedEntry,
    BooksViews,
    EntryFilter,
    EntryPlace,
    Owing,
    OwingPlace,
    SealRecord,
)
from domain.identity.actor import Actor, Role


class TransactionEntry(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    payee_id: UUID | None
    amount_cents: int


class BookedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One effect, whole. `posted_on` is its day in the books, `occurred_at` when it happened."""

    id: UUID
    effect_key: str
    kind: str
    currency: str
    order_id: UUID | None
    occurred_at: datetime
    posted_on: date
    entries: list[TransactionEntry]


async def trial_balance(*, actor: Actor, views: BooksViews) -> Accounts:
    """Raises RoleRequired, as all of these do."""
    actor.require(Role.ADMIN)
    return await views.accounts()


async def list_entries(
    wanted: EntryFilter,
    *,
    before: EntryPlace | None,
    limit: int,
    actor: Actor,
    views: BooksViews,
) -> Sequence[BookedEntry]:
    actor.require(Role.ADMIN)
    return await views.entries(wanted, before=before, limit=limit)


async def show_transaction(
    effect_key: str, *, actor: Actor, views: BooksViews
) -> BookedTransaction:
    """Raises NotFound for an effect that was not posted."""
    actor.require(Role.ADMIN)
    entries = await views.transaction(effect_key)
    first = entries[0]
    return BookedTransaction(
        id=first.transaction_id,
        effect_key=first.effect_key,
        kind=first.kind,
        currency=first.currency,
        order_id=first.order_id,
        occurred_at=first.occurred_at,
        posted_on=first.posted_on,
        entries=[
            TransactionEntry(account=e.account, payee_id=e.payee_id, amount_cents=e.amount_cents)
            for e in entries
        ],
    )


async def list_seals(
    *, before: int | None, limit: int, actor: Actor, views: BooksViews
) -> Sequence[SealRecord]:
    actor.require(Role.ADMIN)
    return await views.seals(before=before, limit=limit)


async def list_owing(
    *, after: OwingPlace | None, limit: int, actor: Actor, views: BooksViews
) -> Sequence[Owing]:
    actor.require(Role.ADMIN)
    return await views.owing(after=after, limit=limit)
