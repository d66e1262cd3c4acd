"""The life of an earning: pending during the hold, then released, then transferred.

An earning is what one payee gets of one order. Refunds make it smaller while it lives; what was
transferred already is asked back by a reversal. A payee whose account refuses to give back owes
the platform: its available balance goes below zero and later earnings fill it first.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.money import Currency


class EarningState(StrEnum):
    """`released` waits for a transfer; `transferring` has one; `settled` needs none.

    `kept` is released too, but waits until its payee asks: the payee's balance has it.
    """

    PENDING = "pending"
    RELEASED = "released"
    KEPT = "kept"
    TRANSFERRING = "transferring"
    SETTLED = "settled"


@dataclass(eq=False, kw_only=True)
class Earning:
    """What `payee_id` earns of `order_id`; `returned_cents` of it went back to the buyer, or to the
    buyer's bank for good, and `disputed_cents` is contested.

    `fee_cents` of it paid the provider's fee while it was held. What the hold cannot give any more
    comes from what is available: so the hold never has less than nothing.
    """

    order_id: UUID
    payee_id: UUID
    currency: Currency
    amount_cents: int
    returned_cents: int = 0
    disputed_cents: int = 0
    fee_cents: int = 0
    state: EarningState = EarningState.PENDING
    release_at: datetime
    released_at: datetime | None = None

    @property
    def net_cents(self) -> int:
        """What is left of it; while it is pending, what of it is held."""
        gone_cents = self.returned_cents + self.disputed_cents + self.fee_cents
        return max(0, self.amount_cents - gone_cents)

    @property
    def held_cents(self) -> int:
        return self.net_cents if self.state is EarningState.PENDING else 0

    def release(self, *, at: datetime, keep: bool = False) -> int:
        """End the hold; answers what becomes available, in minor units. `keep` it there until the
        payee asks for it."""
        if self.state is not EarningState.PENDING:
            raise ValueError("only a pending earning is released")
        self.released_at = at
        if not self.net_cents:
            self.state = EarningState.SETTLED
        else:
            self.state = EarningState.KEPT if keep else EarningState.RELEASED
        return self.net_cents

    def give_back(self, amount_cents: int) -> int:
        """To the buyer; answers what of it the hold gives."""
        if amount_cents < 0:
            raise ValueError("a payee never gives back more than it earned, or less than nothing")
        return self.change(given_cents=amount_cents, contested_cents=0)

    def change(self, *, given_cents: int, contested_cents: int) -> int:
        """Refunds and disputes change what is gone and what is contested, within what was earned;
        answers what of both the hold gives (below zero: gets)."""
        held_before_cents = self.held_cents
        self.returned_cents += given_cents
        self.disputed_cents += contested_cents
        gone_cents = self.returned_cents + self.disputed_cents
        if min(self.returned_cents, self.disputed_cents, self.amount_cents - gone_cents) < 0:
            raise ValueError("a payee never gives back more than it earned")
        return held_before_cents - self.held_cents

    def bear_fee(self, fee_cents: int) -> int:
        """A share of the provider's fee; answers what of it the hold gives."""
        from_hold_cents = min(fee_cents, self.held_cents)
        self.fee_cents += from_hold_cents
        return from_hold_cents


class HeldEarning(NamedTuple):
    """What a settlement gives a payee, before it is kept as an `Earning`."""

    order_id: UUID
    payee_id: UUID
    currency: Currency
    amount_cents: int
    release_at: datetime


class TransferState(StrEnum):
    """`intended`: committed, perhaps sent, the outcome not yet known."""

    INTENDED = "intended"
    SENT = "sent"


@dataclass(eq=False, kw_only=True)
class Transfer:
    """One payee's money of one order on its way to the payee's account; there is at most one.

    `attempt` numbers the tries: the provider replays a refusal under its old key.
    `reversal_cents` is what reversals, intended or done, take back of it.
    """

    id: UUID
    order_id: UUID
    payee_id: UUID
    account_id: str
    charge_id: str
    currency: Currency
    amount_cents: int
    reversal_cents: int = 0
    state: TransferState = TransferState.INTENDED
    attempt: int = 1
    provider_id: str | None = None
    last_error: str | None = None
    created_at: datetime
    sent_at: datetime | None = None

    def plan_reversal(self, wanted_cents: int) -> int:
        """Claim up to `wanted_cents` of what is left of the transfer for a reversal."""
        claimed = min(wanted_cents, self.amount_cents - self.reversal_cents)
        self.reversal_cents += claimed
        return claimed


class ReversalState(StrEnum):
    """`refused`: the payee's account could not give it; it stays owed as a negative balance."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"


@dataclass(eq=False, kw_only=True)
class Reversal:
    """Money of a transfer asked back because of a refund or of a dispute, of which it names
    exactly one; one reversal for each and transfer."""

    id: UUID
    transfer_id: UUID
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    order_id: UUID
    payee_id: UUID
    currency: Currency
    amount_cents: int
    state: ReversalState = ReversalState.INTENDED
    attempt: int = 1
    provider_id: str | None = None
    last_error: str | None = None
    created_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PayeeBalance:
    """A payee's money in one currency, in minor units. Only `available_cents` may be negative."""

    payee_id: UUID
    currency: Currency
    pending_cents: int
    available_cents: int
    reserved_cents: int
    disputed_cents: int
    lifetime_cents: int


def transferable_cents(*, earned_cents: int, available_cents: int) -> int:
    """What of a released earning may be sent: debts from earlier orders are netted first."""
    return max(0, min(earned_cents, available_cents))
