"""The effects that move money, each with its key and its entries. Nothing else is ever posted."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.ledger.posting import Account, Entry, Transaction
from domain.shared.money import Currency


class Part(NamedTuple):
    """A share of a sale or refund: a payee's, or that of one of the platform's accounts."""

    account: Account
    payee_id: UUID | None
    amount_cents: int


def sale(
    *, charge_id: str, order_id: UUID, currency: Currency, parts: Iterable[Part], at: datetime
) -> Transaction:
    """Captured money is owed to the parties of the order. `sale:{charge}`."""
    entries = [Entry(*part) for part in parts if part.amount_cents]
    captured = sum(entry.amount_cents for entry in entries)
    entries.append(Entry(Account.STRIPE_CLEARING, None, -captured))
    return Transaction(f"sale:{charge_id}", "sale", currency, tuple(entries), at, order_id)


def processing_fee(
    *,
    charge_id: str,
    order_id: UUID | None,
    currency: Currency,
    fee_cents: int,
    at: datetime,
    borne: Iterable[Part] = (),
) -> Transaction:
    """The provider kept its fee of a charge. `borne` are the parts that sellers give of it; the
    platform bears the rest. `fee:{charge}`."""
    given = [part for part in borne if part.amount_cents]
    rest_cents = fee_cents - sum(part.amount_cents for part in given)
    if rest_cents:
        given.append(Part(Account.PROCESSING_FEES, None, rest_cents))
    entries = (
        *(Entry(part.account, part.payee_id, -part.amount_cents) for part in given),
        Entry(Account.STRIPE_CLEARING, None, fee_cents),
    )
    return Transaction(f"fee:{charge_id}", "processing_fee", currency, entries, at, order_id)


def release(
    *, order_id: UUID, payee_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """The hold of an earning is over. `release:{order}:{payee}`."""
    return _between(
        f"release:{order_id}:{payee_id}",
        "release",
        currency,
        Account.PAYABLE_PENDING,
        Account.PAYABLE_AVAILABLE,
        payee_id,
        amount_cents,
        at=at,
        order_id=order_id,
    )


def reserve(
    *, order_id: UUID, payee_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """Available money is set aside for a transfer. `reserve:{order}:{payee}`."""
    return _between(
        f"reserve:{order_id}:{payee_id}",
        "reserve",
        currency,
        Account.PAYABLE_AVAILABLE,
        Account.PAYABLE_RESERVED,
        payee_id,
        amount_cents,
        at=at,
        order_id=order_id,
    )


def transfer_sent(
    *, order_id: UUID, payee_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """The reserved money has gone to the payee's account. `transfer:{order}:{payee}`."""
    return _move(
        f"transfer:{order_id}:{payee_id}",
        "transfer",
        currency,
        Entry(Account.PAYABLE_RESERVED, payee_id, -amount_cents),
        Entry(Account.STRIPE_CLEARING, None, amount_cents),
        at=at,
        order_id=order_id,
    )


def refund(
    *,
    refund_id: UUID,
    order_id: UUID,
    currency: Currency,
    parts: Iterable[Part],
    at: datetime,
) -> Transaction:
    """The buyer has money back; each part is what a party gives. `refund:{refund}`."""
    given = [part for part in parts if part.amount_cents]
    total = sum(part.amount_cents for part in given)
    entries = (
        *(Entry(part.account, part.payee_id, -part.amount_cents) for part in given),
        Entry(Account.STRIPE_CLEARING, None, total),
    )
    return Transaction(f"refund:{refund_id}", "refund", currency, entries, at, order_id)


def refund_returned(
    *, refund_id: UUID, order_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """The buyer's bank sent a refund back: we hold it and owe it. `refund_returned:{refund}`."""
    return _move(
        f"refund_returned:{refund_id}",
        "refund_returned",
        currency,
        Entry(Account.STRIPE_CLEARING, None, -amount_cents),
        Entry(Account.REFUNDS_RETURNED, None, amount_cents),
        at=at,
        order_id=order_id,
    )


def transfer_reversed(
    *,
    reversal_id: UUID,
    order_id: UUID,
    payee_id: UUID,
    currency: Currency,
    amount_cents: int,
    at: datetime,
) -> Transaction:
    """Money came back from the payee's account, after a refund. `reversal:{reversal}`."""
    return _move(
        f"reversal:{reversal_id}",
        "reversal",
        currency,
        Entry(Account.STRIPE_CLEARING, None, -amount_cents),
        Entry(Account.PAYABLE_AVAILABLE, payee_id, amount_cents),
        at=at,
        order_id=order_id,
    )


def write_off(
    *, write_off_id: UUID, payee_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """The platform gives up what a payee owes it. `write_off:{write_off}`."""
    return _move(
        f"write_off:{write_off_id}",
        "write_off",
        currency,
        Entry(Account.WRITE_OFFS, None, -amount_cents),
        Entry(Account.PAYABLE_AVAILABLE, payee_id, amount_cents),
        at=at,
        order_id=None,
    )


def taken_from(payee_id: UUID, amount_cents: int, *, from_hold_cents: int) -> list[Part]:
    """What a payee gives: so much of it from what is held, the rest from what is available."""
    parts = [
        Part(Account.PAYABLE_PENDING, payee_id, from_hold_cents),
        Part(Account.PAYABLE_AVAILABLE, payee_id, amount_cents - from_hold_cents),
    ]
    return [part for part in parts if part.amount_cents]


def guarantee_paid(
    *,
    grant_id: UUID,
    store_id: UUID,
    currency: Currency,
    amounts_cents: Mapping[UUID, int],
    at: datetime,
) -> Transaction:
    """A store pays the guarantee of a grant out of what it has earned. `guarantee:{grant}`."""
    paid = {payee: cents for payee, cents in amounts_cents.items() if cents}
    entries = (
        Entry(Account.PAYABLE_AVAILABLE, store_id, -sum(paid.values())),
        *(Entry(Account.PAYABLE_AVAILABLE, payee, cents) for payee, cents in paid.items()),
    )
    return Transaction(f"guarantee:{grant_id}", "guarantee", currency, entries, at)


def merge(parts: Iterable[Part]) -> tuple[Part, ...]:
    """One part for each account and payee, in order of first appearance."""
    sums: dict[tuple[Account, UUID | None], int] = {}
    for account, payee_id, amount_cents in parts:
        sums[account, payee_id] = sums.get((account, payee_id), 0) + amount_cents
    return tuple(Part(account, payee, cents) for (account, payee), cents in sums.items() if cents)


def balances(transactions: Iterable[Transaction]) -> Mapping[tuple[Account, UUID | None], int]:
    """What the entries of some transactions of one currency add up to, for each account."""
    entries = (Part(*entry) for posted in transactions for entry in posted.entries)
    return {(part.account, part.payee_id): part.amount_cents for part in merge(entries)}


def _between(
    effect_key: str,
    kind: str,
    currency: Currency,
    source: Account,
    target: Account,
    payee_id: UUID,
    amount_cents: int,
    *,
    at: datetime,
    order_id: UUID,
) -> Transaction:
    return _move(
        effect_key,
        kind,
        currency,
        Entry(source, payee_id, -amount_cents),
        Entry(target, payee_id, amount_cents),
        at=at,
        order_id=order_id,
    )


def _move(
    effect_key: str,
    kind: str,
    currency: Currency,
    first: Entry,
    second: Entry,
    *,
    at: datetime,
    order_id: UUID | None,
) -> Transaction:
    return Transaction(effect_key, kind, currency, (first, second), at, order_id)
