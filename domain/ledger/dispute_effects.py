"""The effects of disputes, and of what is settled with a buyer outside the provider.

While a bank holds contested money, the payees' parts lie in `payable_disputed`, against
`contested_funds`; the platform's parts are taken from its own accounts at once. Parts that are
below zero go back to where they came from. What was paid to the platform itself has no order and no
payee: contested, it leaves the platform's accounts at once, and losing it posts nothing more.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from domain.ledger.effects import Part
from domain.ledger.posting import Account, Entry, Transaction
from domain.shared.money import Currency


def dispute_opened(
    *,
    dispute_id: UUID,
    order_id: UUID | None,
    currency: Currency,
    parts: Iterable[Part],
    fee_cents: int,
    at: datetime,
) -> Transaction:
    """The bank withdrew money, the provider its fee. `dispute:{id}:opened`."""
    given = [*parts, Part(Account.DISPUTE_LOSSES, None, fee_cents)]
    return _given(f"dispute:{dispute_id}:opened", "dispute_opened", currency, given, order_id, at)


def dispute_won(
    *,
    dispute_id: UUID,
    order_id: UUID | None,
    currency: Currency,
    parts: Iterable[Part],
    fee_cents: int,
    at: datetime,
) -> Transaction:
    """The bank gave money back, the provider perhaps its fee. `dispute:{id}:won`."""
    given = [*parts, Part(Account.DISPUTE_LOSSES, None, -fee_cents)]
    return _given(f"dispute:{dispute_id}:won", "dispute_won", currency, given, order_id, at)


def dispute_lost(
    *,
    dispute_id: UUID,
    order_id: UUID | None,
    currency: Currency,
    parts: Iterable[Part],
    at: datetime,
) -> Transaction | None:
    """Contested money is gone for good; None where no payee had a part. `dispute:{id}:lost`."""
    given = [part for part in parts if part.amount_cents]
    if not given:
        return None
    return _given(f"dispute:{dispute_id}:lost", "dispute_lost", currency, given, order_id, at)


def refund_settled(
    *, refund_id: UUID, order_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """A returned refund was paid from the platform's own bank. `refund_settled:{refund}`."""
    entries = (
        Entry(Account.REFUNDS_RETURNED, None, -amount_cents),
        Entry(Account.PAYOUT_CLEARING, None, amount_cents),
    )
    return Transaction(
        f"refund_settled:{refund_id}", "refund_settled", currency, entries, at, order_id
    )


def _given(
    effect_key: str,
    kind: str,
    currency: Currency,
    parts: Iterable[Part],
    order_id: UUID | None,
    at: datetime,
) -> Transaction:
    """What the parts give leaves `stripe_clearing`; where they give nothing together, it stays."""
    given = [part for part in parts if part.amount_cents]
    total = sum(part.amount_cents for part in given)
    entries = [Entry(part.account, part.payee_id, -part.amount_cents) for part in given]
    if total:
        entries.append(Entry(Account.STRIPE_CLEARING, None, total))
    return Transaction(effect_key, kind, currency, tuple(entries), at, order_id)
