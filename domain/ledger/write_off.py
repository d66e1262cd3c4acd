"""Giving up what a payee owes: an administrator's decision, with its reason, never more than is
owed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.errors import RuleRefused
from domain.shared.money import Currency


class WriteOffTooLarge(RuleRefused):
    """The payee does not owe that much."""

    code = "write_off_too_large"


@dataclass(eq=False, kw_only=True)
class WriteOff:
    """`request_key` is the idempotency key of the request, unique for the payee."""

    id: UUID
    payee_id: UUID
    request_key: str
    currency: Currency
    amount_cents: int
    reason: str
    written_off_by: UUID
    created_at: datetime


def require_owed(amount_cents: int, *, available_cents: int) -> None:
    """Raises WriteOffTooLarge."""
    owed_cents = max(0, -available_cents)
    if amount_cents > owed_cents:
        raise WriteOffTooLarge(
            "The payee does not owe that much.", amount_cents=amount_cents, owed_cents=owed_cents
        )
