"""Double entry: every business effect is one balanced transaction, posted once, never changed.

Sign convention: a positive entry is a credit (an account owes or has earned more), a negative one
a debit. Payables and revenue grow by positive entries; money that lies at the payment provider
is a negative balance of `stripe_clearing`. The entries of a transaction sum to zero.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.errors import Conflict
from domain.shared.money import Currency


class Account(StrEnum):
    """The chart of accounts. Payables are kept per payee, in four states."""

    STRIPE_CLEARING = "stripe_clearing"
    PAYABLE_PENDING = "payable_pending"
    PAYABLE_AVAILABLE = "payable_available"
    PAYABLE_RESERVED = "payable_reserved"
    PAYABLE_DISPUTED = "payable_disputed"
    PLATFORM_REVENUE = "platform_revenue"
    PRODUCTION_COST_PAYABLE = "production_cost_payable"
    SHIPPING = "shipping"
    TAX_PAYABLE = "tax_payable"
    PROCESSING_FEES = "processing_fees"
    REFUNDS_RETURNED = "refunds_returned"
    CONTESTED_FUNDS = "contested_funds"
    DISPUTE_LOSSES = "dispute_losses"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    PAYOUT_CLEARING = "payout_clearing"
    PROMOTIONS = "promotions"
    WRITE_OFFS = "write_offs"


PAYABLES = frozenset(
    {
        Account.PAYABLE_PENDING,
        Account.PAYABLE_AVAILABLE,
        Account.PAYABLE_RESERVED,
        Account.PAYABLE_DISPUTED,
    }
)


class Entry(NamedTuple):
    """`payee_id` is there exactly for payables."""

    account: Account
    payee_id: UUID | None
    amount_cents: int


class EffectMismatch(Conflict):
    """An effect was posted before with other content: somebody must look at this."""

    code = "effect_mismatch"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One business effect. `effect_key` is its natural name: posting it again does nothing."""

    effect_key: str
    kind: str
    currency: Currency
    entries: tuple[Entry, ...]
    occurred_at: datetime
    order_id: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.entries) < 2 or sum(entry[2] for entry in self.entries) != 0:
            raise ValueError(f"{self.effect_key} does not balance")
        for account, payee_id, amount_cents in self.entries:
            if amount_cents == 0 or (payee_id is not None) != (account in PAYABLES):
                raise ValueError(f"{self.effect_key} has a malformed entry")

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is posted, without when: what a replay must repeat."""
        lines = sorted(f"{account}|{payee}|{cents}" for account, payee, cents in self.entries)
        return hashlib.sha256("\n".join((self.currency, *lines)).encode()).hexdigest()
