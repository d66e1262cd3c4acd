"""The effects of what users pay to the platform itself: credits and plans, each with its key."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from domain.ledger.effects import Part
from domain.ledger.posting import Account, Entry, Transaction
from domain.shared.money import Currency


def credit_sale(
    *, charge_id: str, currency: Currency, amount_cents: int, tax_cents: int, at: datetime
) -> Transaction:
    """Somebody bought credits. `credits:{charge}`."""
    return _taken("credits", "credit_sale", charge_id, currency, amount_cents, tax_cents, at)


def plan_sale(
    *, charge_id: str, currency: Currency, amount_cents: int, tax_cents: int, at: datetime
) -> Transaction:
    """An invoice of a plan was paid. `plan:{charge}`."""
    return _taken("plan", "plan_sale", charge_id, currency, amount_cents, tax_cents, at)


def parts_of(*, revenue_cents: int, tax_cents: int, lost_cents: int) -> list[Part]:
    """Whose accounts give money of a platform's charge; what is beyond the charge is a loss."""
    return [
        Part(Account.PLATFORM_REVENUE, None, revenue_cents),
        Part(Account.TAX_PAYABLE, None, tax_cents),
        Part(Account.DISPUTE_LOSSES, None, lost_cents),
    ]


def platform_refund(
    *, refund_id: UUID, currency: Currency, parts: Iterable[Part], at: datetime
) -> Transaction:
    """The buyer of credits or of a plan has money back. `platform_refund:{refund}`."""
    given = list(parts)
    entries = (
        *(Entry(part.account, None, -part.amount_cents) for part in given),
        Entry(Account.STRIPE_CLEARING, None, sum(part.amount_cents for part in given)),
    )
    return _posting(f"platform_refund:{refund_id}", "platform_refund", currency, entries, at)


def platform_refund_returned(
    *, refund_id: UUID, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """The buyer's bank sent it back: we hold it and owe it. `platform_refund_returned:{refund}`."""
    entries = (
        Entry(Account.STRIPE_CLEARING, None, -amount_cents),
        Entry(Account.REFUNDS_RETURNED, None, amount_cents),
    )
    key = f"platform_refund_returned:{refund_id}"
    return _posting(key, "platform_refund_returned", currency, entries, at)


def _taken(
    prefix: str,
    kind: str,
    charge_id: str,
    currency: Currency,
    amount_cents: int,
    tax_cents: int,
    at: datetime,
) -> Transaction:
    entries = (
        Entry(Account.STRIPE_CLEARING, None, -amount_cents),
        Entry(Account.PLATFORM_REVENUE, None, amount_cents - tax_cents),
        Entry(Account.TAX_PAYABLE, None, tax_cents),
    )
    return _posting(f"{prefix}:{charge_id}", kind, currency, entries, at)


def _posting(
    effect_key: str, kind: str, currency: Currency, entries: tuple[Entry, ...], at: datetime
) -> Transaction:
    moved = tuple(entry for entry in entries if entry.amount_cents)
    return Transaction(effect_key, kind, currency, moved, at)
