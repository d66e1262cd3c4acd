"""What payouts need from outside: providers that carry money to banks, and what is kept of it.

A provider is asked under our own id of the payout that was committed before; the id is the
idempotency key, and the provider keeps it as the reference, so that a payout whose outcome is
unknown can be looked up. Errors: `application.ports.errors`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.payments import InboundEvent
from application.ports.repository import Repository
from domain.ledger.bank_account import BankAccount
from domain.ledger.payout import Payout, PayoutSpeed, PayoutState, PayoutWord
from domain.ledger.payout_settings import PayoutMethod, PayoutSettings
from domain.shared.money import Currency

PROVIDER_SHORT = "insufficient_funds"
"""The reason of a Rejected that is about our own money at the provider, not about the payee."""
WRONG_AMOUNTS = "amounts_mismatch"
"""The reason of a Rejected when the micro-deposits were others."""


class PayoutOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`destination`: a bank account at the payout provider, or an account at the payment one."""

    payout_id: UUID
    destination: str
    amount_cents: int
    currency: str
    speed: PayoutSpeed


class PayoutFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of a payout. `fee_cents` is what the provider takes for it."""

    provider_id: str
    payout_id: UUID | None
    word: PayoutWord
    amount_cents: int
    currency: str
    fee_cents: int = 0
    reason: str | None = None


class PayoutRail(Protocol):
    """One way to banks."""

    async def send(self, order: PayoutOrder) -> PayoutFact:
        """Key `payout:{payout_id}`. Raises Unavailable, Rejected, OutcomeUnknown."""
        ...

    async def find(self, payout_id: UUID, *, destination: str) -> PayoutFact | None:
        """By our own id, whatever became of the answer."""
        ...

    async def state(self, provider_id: str, *, destination: str) -> PayoutFact: ...

    async def available_cents(self, destination: str, *, currency: str) -> int | None:
        """What lies there for instant payouts; None where the payee's balance is ours to know."""
        ...

    async def check(self) -> None:
        """Prove that the provider answers and accepts our key."""
        ...


class PayoutBalance(Protocol):
    """What lies at the provider of bank payouts for us, out of which it pays."""

    async def held(self) -> Mapping[Currency, int]:
        """In minor units by currency, without what was sent on. Raises Unavailable."""
        ...


PayoutRails = Mapping[PayoutMethod, PayoutRail]


class ProviderBankAccount(msgspec.Struct, frozen=True, kw_only=True):
    """`holder` is compared and forgotten."""

    provider_id: str
    last4: str
    currency: str
    verified: bool
    bank_name: str | None = None
    holder: str | None = None


class BankAccountProvider(Protocol):
    """Bank accounts at the payout provider, who alone knows their numbers."""

    async def open_account(
        self, *, key: str, token: str | None = None, processor_token: str | None = None
    ) -> ProviderBankAccount:
        """Of a token that the provider made in the payee's browser, or of a linked bank's.
        Raises Rejected for a token that is none."""
        ...

    async def verify_account(self, provider_id: str, *, amounts_cents: tuple[int, int]) -> None:
        """Name the micro-deposits, in any order. Raises Rejected with `WRONG_AMOUNTS`."""
        ...

    async def close_account(self, provider_id: str) -> None:
        """One that is closed or unknown stays so."""
        ...


class PayoutEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to a payout; None for one that is not ours. Ask for its state."""

    payout_id: UUID | None


class PayoutWebhooks(Protocol):
    def verify(self, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        """Check signature and age (300 s past and future). Raises SignatureRefused."""
        ...

    def read(self, payload: bytes) -> PayoutEvent:
        """Raises msgspec.DecodeError for what it cannot read."""
        ...


class LinkToken(msgspec.Struct, frozen=True, kw_only=True):
    """Opens the page where a person picks a bank account, once, until it expires."""

    link_token: str
    expires_at: datetime


class BankLinks(Protocol):
    """Lets people prove a bank account by signing in to their bank."""

    async def start(self, *, payee_id: UUID) -> LinkToken: ...

    async def processor_token(self, *, public_token: str, account_id: str) -> str:
        """What the payout provider takes for the account. Raises Rejected."""
        ...

    async def check(self) -> None: ...


# What we keep.


class AllPayoutSettings(Repository[PayoutSettings], Protocol):
    async def of_payee(self, payee_id: UUID, *, lock: bool = False) -> PayoutSettings:
        """The defaults, not added, where the payee has chosen nothing."""
        ...

    async def many(self, payee_ids: Collection[UUID]) -> Mapping[UUID, PayoutSettings]:
        """Those that were chosen, held against change until the transaction ends."""
        ...


class BankAccounts(Repository[BankAccount], Protocol):
    async def of_payee(self, payee_id: UUID) -> list[BankAccount]:
        """Those that were not removed, oldest first; locked."""
        ...

    async def defaults(self, payee_ids: Collection[UUID]) -> Mapping[UUID, BankAccount]:
        """By payee."""
        ...

    async def choose(self, chosen: BankAccount, *, among: Sequence[BankAccount]) -> None:
        """Make one account the default, and the others not."""
        ...


class Payouts(Repository[Payout], Protocol):
    async def by_request_key(self, payee_id: UUID, request_key: str) -> Payout | None: ...

    async def of_day(
        self, day: date, payee_ids: Collection[UUID]
    ) -> Collection[tuple[UUID, Currency]]:
        """Who has had the day's payout already, and in which currency."""
        ...

    async def silent(self, *, before: datetime, limit: int) -> list[UUID]:
        """Sent, or of unknown outcome, and not asked about since; the longest silent first."""
        ...

    async def to_look_at_again(self, *, now: datetime, limit: int) -> list[UUID]:
        """Paid, and due to be asked about once more; the longest due first."""
        ...


class PayoutRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`net_cents` is what the bank gets. `automatic`: nobody asked for it."""

    id: UUID
    method: PayoutMethod
    speed: PayoutSpeed
    currency: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    state: PayoutState
    reason: str | None
    last4: str | None
    automatic: bool
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class Candidate(msgspec.Struct, frozen=True):
    payee_id: UUID
    currency: str


class PayoutViews(Protocol):
    async def of_payee(
        self, payee_id: UUID, *, before: UUID | None, limit: int
    ) -> list[PayoutRecord]:
        """Newest first."""
        ...

    async def candidates(
        self, day: date, *, method: PayoutMethod, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        """Who is paid by the day, has something available and has not had that day's payout, in
        the order of their ids."""
        ...


class PayoutDays(Protocol):
    async def is_done(self, day: date) -> bool: ...

    async def finish(self, day: date, *, at: datetime, payouts: int) -> None: ...
