"""A payout: money that leaves for a payee's bank, asked for by a person or by the day.

It is reserved, then sent, then paid or failed. What the provider did not answer is `unknown`, and
stays so until it is asked: neither sent again blindly nor given back. What was paid can still be
returned by the bank. Words of the provider may come late, twice and in any order: a payout only
moves forwards, and each step it skipped is posted too.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.ledger.payout_settings import PayoutMethod
from domain.shared.errors import Conflict
from domain.shared.money import Currency

SAME_KEY_FOR = timedelta(hours=24)
"""How long every provider remembers an idempotency key; afterwards it is asked first."""

LOOKED_AT_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=9))
"""When a payout that was paid is asked about again: a bank may send it back, and the word of that
may get lost. Stripe names five business days as the longest that takes."""


class PayoutSpeed(StrEnum):
    INSTANT = "instant"
    STANDARD = "standard"


class PayoutState(StrEnum):
    RESERVED = "reserved"
    UNKNOWN = "unknown"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


class PayoutWord(StrEnum):
    """What a provider says of a payout that it has taken."""

    UNDER_WAY = "under_way"
    COMPLETED = "completed"
    FAILED = "failed"
    RETURNED = "returned"


class PayoutStep(StrEnum):
    """What has just become true, and is to be posted."""

    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


UNSENT = frozenset({PayoutState.RESERVED, PayoutState.UNKNOWN})
OPEN = frozenset({PayoutState.RESERVED, PayoutState.UNKNOWN, PayoutState.SENT})


class PayoutMismatch(Conflict):
    """The provider speaks of another amount or currency than we asked for: somebody must look."""

    code = "payout_mismatch"


@dataclass(eq=False, kw_only=True)
class Payout:
    """`amount_cents` leaves the balance; of a bank payout the fee is kept and the rest, the net,
    is sent. Of a connected account everything is sent, and the fee is charged to the balance.

    `destination` is the provider's name for where it goes. `payout_day` is there for payouts that
    nobody asked for: there is one for each payee, currency and day.
    """

    id: UUID
    payee_id: UUID
    method: PayoutMethod
    speed: PayoutSpeed
    currency: Currency
    amount_cents: int
    fee_cents: int
    net_cents: int
    destination: str
    bank_account_id: UUID | None = None
    last4: str | None = None
    payout_day: date | None = None
    request_key: str | None = None
    state: PayoutState = PayoutState.RESERVED
    attempts: int = 0
    reason: str | None = None
    provider_id: str | None = None
    provider_fee_cents: int = 0
    created_at: datetime
    tried_at: datetime | None = None
    asked_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    look_again_at: datetime | None = None

    def try_to_send(self, *, at: datetime) -> None:
        """Count a call before it is made: whoever finds the payout knows that it may exist."""
        self.attempts += 1
        self.tried_at = self.tried_at or at
        self.asked_at = at

    def ask_before_sending(self, *, at: datetime) -> bool:
        """Whether the provider may have forgotten the key of an earlier call."""
        return self.tried_at is not None and at - self.tried_at >= SAME_KEY_FOR

    def no_answer(self, reason: str) -> None:
        if self.state is PayoutState.RESERVED:
            self.state = PayoutState.UNKNOWN
        if self.state in UNSENT:
            self.reason = reason

    def hear(
        self, word: PayoutWord, *, at: datetime, reason: str | None = None
    ) -> list[PayoutStep]:
        """Move on by what the provider says; answers the steps to post, oldest first."""
        steps: list[PayoutStep] = []
        if self.state in UNSENT:
            self.state, self.sent_at, self.reason = PayoutState.SENT, at, None
            steps.append(PayoutStep.SENT)
        if self.state is PayoutState.SENT and word in (PayoutWord.COMPLETED, PayoutWord.RETURNED):
            self.state, self.ended_at = PayoutState.PAID, at
            self.look_again(at=at)
            steps.append(PayoutStep.PAID)
        if self.state is PayoutState.SENT and word is PayoutWord.FAILED:
            self.state, self.ended_at, self.reason = PayoutState.FAILED, at, reason
            steps.append(PayoutStep.FAILED)
        if self.state is PayoutState.PAID and word in (PayoutWord.FAILED, PayoutWord.RETURNED):
            self.state, self.ended_at, self.reason = PayoutState.RETURNED, at, reason
            self.look_again_at = None
            steps.append(PayoutStep.RETURNED)
        return steps

    def look_again(self, *, at: datetime) -> None:
        """Note when a payout that is paid will be asked about next, if ever."""
        ended_at = self.ended_at or at
        self.look_again_at = next(
            (ended_at + after for after in LOOKED_AT_AFTER if ended_at + after > at), None
        )

    def refuse(self, reason: str, *, at: datetime) -> None:
        """The provider has declined it: nothing has left."""
        if self.state not in UNSENT:
            raise ValueError("only what was not taken can be declined")
        self.state, self.ended_at, self.reason = PayoutState.FAILED, at, reason

    def require_same(self, *, amount_cents: int, currency: str) -> None:
        """Raises PayoutMismatch."""
        if (amount_cents, currency) != (self.net_cents, self.currency):
            raise PayoutMismatch(
                "The provider speaks of another amount than was asked for.",
                payout_id=self.id,
                amount_cents=amount_cents,
                currency=currency,
            )
