"""A payee's bank account, of which we know the last four digits and the provider's name for it.

It is proved by two micro-deposits or by the bank itself (Plaid), belongs to somebody with the
payee's name or was looked at by an administrator, and is out of use once money came back from it.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict, RuleRefused

VERIFICATION_ATTEMPTS = 3


class BankAccountState(StrEnum):
    """`locked`: the micro-deposits were named wrongly too often. `flagged`: a payout came back."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    LOCKED = "locked"
    FLAGGED = "flagged"
    REMOVED = "removed"


class HolderName(StrEnum):
    """How the bank's name of the holder compares with the payee's."""

    MATCHES = "matches"
    NEEDS_REVIEW = "needs_review"
    APPROVED = "approved"
    REFUSED = "refused"


class VerificationLocked(RuleRefused):
    """The micro-deposits were named wrongly three times: add the account again another way."""

    code = "bank_account_locked"

    def __init__(self) -> None:
        super().__init__("The amounts were wrong three times: this account is locked.")


class NotAwaitingVerification(Conflict):
    """The account is verified already, or is in use no more."""

    code = "bank_account_not_awaiting_verification"

    def __init__(self) -> None:
        super().__init__("This account does not wait for its micro-deposits.")


class NotReviewable(Conflict):
    """Its holder's name matched, or somebody has decided already."""

    code = "bank_account_not_in_review"

    def __init__(self) -> None:
        super().__init__("Nobody has to look at this account's holder.")


@dataclass(eq=False, kw_only=True)
class BankAccount:
    """`provider_id` is the payout provider's; the account's number is never here."""

    id: UUID
    payee_id: UUID
    provider_id: str
    bank_name: str | None
    last4: str
    currency: str
    state: BankAccountState
    holder_name: HolderName
    is_default: bool = False
    attempts: int = 0
    created_at: datetime
    verified_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_there(self) -> bool:
        return self.state is not BankAccountState.REMOVED

    @property
    def can_be_paid(self) -> bool:
        return self.state is BankAccountState.VERIFIED and self.holder_name in (
            HolderName.MATCHES,
            HolderName.APPROVED,
        )

    @property
    def attempts_left(self) -> int:
        return VERIFICATION_ATTEMPTS - self.attempts

    def claim_attempt(self) -> None:
        """Count a try at the micro-deposits before it is made: side by side they count too.

        Raises NotAwaitingVerification, VerificationLocked.
        """
        if self.state is BankAccountState.LOCKED:
            raise VerificationLocked
        if self.state is not BankAccountState.UNVERIFIED:
            raise NotAwaitingVerification
        if self.attempts >= VERIFICATION_ATTEMPTS:
            self.state = BankAccountState.LOCKED
            raise VerificationLocked
        self.attempts += 1

    def named_wrongly(self) -> None:
        if self.state is BankAccountState.UNVERIFIED and self.attempts >= VERIFICATION_ATTEMPTS:
            self.state = BankAccountState.LOCKED

    def give_attempt_back(self) -> None:
        """Nobody has looked at the amounts: the provider was away."""
        self.attempts = max(0, self.attempts - 1)

    def verified(self, *, at: datetime) -> None:
        if self.state is BankAccountState.UNVERIFIED:
            self.state = BankAccountState.VERIFIED
            self.verified_at = at

    def review(self, *, approved: bool) -> None:
        """Raises NotReviewable."""
        if self.holder_name is not HolderName.NEEDS_REVIEW:
            raise NotReviewable
        self.holder_name = HolderName.APPROVED if approved else HolderName.REFUSED

    def flag(self) -> None:
        """Money came back from it. One that was removed stays so."""
        if self.is_there:
            self.state = BankAccountState.FLAGGED

    def remove(self, *, at: datetime) -> None:
        self.state = BankAccountState.REMOVED
        self.is_default = False
        self.ended_at = at


def compare_names(holder: str | None, payee_names: Iterable[str]) -> HolderName:
    """Whether the holder goes by one of the payee's names; order, case and accents aside."""
    words = _words(holder or "")
    if words and any(words == _words(name) for name in payee_names):
        return HolderName.MATCHES
    return HolderName.NEEDS_REVIEW


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = (c for c in plain if not unicodedata.combining(c))
    return sorted("".join(c if c.isalnum() else " " for c in letters).split())
