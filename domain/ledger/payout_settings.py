"""How a payee wants its money: by which way, when, and from which amount on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import RuleRefused


class PayoutMethod(StrEnum):
    """`connect`: transfers to an account at the payment provider, which pays the bank.
    `bank`: payouts to a bank account by the payout provider."""

    CONNECT = "connect"
    BANK = "bank"


class PayoutSchedule(StrEnum):
    """`automatic`: as soon as earnings are released. `daily`: 00:00 UTC. `manual`: when asked."""

    AUTOMATIC = "automatic"
    DAILY = "daily"
    MANUAL = "manual"


class MinimumTooSmall(RuleRefused):
    """A payee may raise the platform's smallest payout, never lower it."""

    code = "payout_minimum_too_small"


@dataclass(eq=False, kw_only=True)
class PayoutSettings:
    """`id` is the payee's. A payee without them has the defaults. `minimum_cents` None is the
    platform's; it counts in every currency and never below the platform's."""

    id: UUID
    method: PayoutMethod = PayoutMethod.CONNECT
    schedule: PayoutSchedule = PayoutSchedule.AUTOMATIC
    minimum_cents: int | None = None
    updated_at: datetime | None = None
    version: int = 1

    @property
    def transfers_on_release(self) -> bool:
        """Whether released earnings go out by themselves, order by order."""
        return self.method is PayoutMethod.CONNECT and self.schedule is PayoutSchedule.AUTOMATIC

    @property
    def transfers_by_itself(self) -> bool:
        """Whether kept earnings go to the connected account without being asked for."""
        return self.method is PayoutMethod.CONNECT and self.schedule is not PayoutSchedule.MANUAL

    @property
    def pays_bank_on_release(self) -> bool:
        """Whether a release may make a payout: one a day, from the smallest amount on."""
        return self.method is PayoutMethod.BANK and self.schedule is PayoutSchedule.AUTOMATIC
