"""A payee: a creator or a store that can be sent money, once its account allows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class PayeeKind(StrEnum):
    CREATOR = "creator"
    STORE = "store"


class PayeeStatus(StrEnum):
    """Derived, for people to read: what stands between this payee and its money."""

    NOT_STARTED = "not_started"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    RESTRICTED = "restricted"


@dataclass(eq=False, kw_only=True)
class Payee:
    """`id` is that of the creator or the store. The account fields mirror the provider's."""

    id: UUID
    kind: PayeeKind
    account_id: str | None = None
    transfers_active: bool = False
    payouts_enabled: bool = False
    disabled_reason: str | None = None
    currently_due: tuple[str, ...] = ()
    past_due: tuple[str, ...] = ()
    refreshed_at: datetime | None = None
    version: int = 1

    @property
    def can_be_paid(self) -> bool:
        """The gate: transfers active, payouts enabled, nothing disabled."""
        return self.transfers_active and self.payouts_enabled and self.disabled_reason is None

    @property
    def status(self) -> PayeeStatus:
        if self.account_id is None:
            return PayeeStatus.NOT_STARTED
        if self.can_be_paid:
            return PayeeStatus.ACTIVE
        return PayeeStatus.RESTRICTED if self.disabled_reason else PayeeStatus.ONBOARDING
