"""Keeping the books: postings, balances, earnings, transfers and their reversals, payees."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.ledger.earning import Earning, PayeeBalance, Reversal, Transfer
from domain.ledger.payee import Payee
from domain.ledger.posting import Transaction
from domain.ledger.proof import Proof
from domain.ledger.write_off import WriteOff
from domain.shared.money import Currency

BalanceKey = tuple[UUID, Currency]


class Ledger(Protocol):
    async def post(self, transactions: Sequence[Transaction]) -> Collection[str]:
        """Post what was not posted before, and keep the payees' balances, in one statement.

        Answers the effect keys that are new. Raises EffectMismatch, and Conflict where a balance
        other than `available` would go below zero.
        """
        ...

    async def find(self, effect_key: str) -> Transaction | None:
        """What was posted under this key."""

    async def reserve_available(self, reservation: Transaction) -> None:
        """Post a reservation of available money, unless there is not that much: asked for side by
        side, a balance is reserved once. Raises InsufficientAvailable."""
        ...

    async def lock_balances(
        self, keys: Collection[BalanceKey]
    ) -> Mapping[BalanceKey, PayeeBalance]: ...


class Earnings(Protocol):
    async def due(self, *, now: datetime, limit: int) -> list[Earning]:
        """Pending earnings whose hold is over and whose order has no open refund and no open
        dispute; locked."""
        ...

    async def released(self, *, limit: int) -> list[Earning]:
        """Released earnings of payees that can be paid, without a transfer yet; locked."""
        ...

    async def of_order(self, order_id: UUID) -> list[Earning]:
        """All earnings of an order, locked, by payee."""
        ...

    async def let_go(self, payee_id: UUID, *, currency: Currency | None = None) -> int:
        """Kept earnings wait for a transfer from now on; answers how many there were."""
        ...

    async def keep(self, payee_id: UUID) -> int:
        """Released earnings without a transfer wait for their payee's wish; the reverse."""
        ...


class Transfers(Repository[Transfer], Protocol):
    async def of_order(self, order_id: UUID) -> list[Transfer]:
        """All transfers of an order, locked, by payee."""
        ...


class Reversals(Repository[Reversal], Protocol):
    async def awaited_cents(self, keys: Collection[BalanceKey]) -> Mapping[BalanceKey, int]:
        """What reversals under way may bring back to these balances; where there are none, nothing.

        Balance and answer agree when the balances were locked before.
        """
        ...


class WriteOffs(Repository[WriteOff], Protocol):
    async def by_request_key(self, payee_id: UUID, request_key: str) -> WriteOff | None: ...


Proofs = Repository[Proof]


class Payees(Repository[Payee], Protocol):
    async def by_account(self, account_id: str) -> Payee | None: ...

    async def many(self, payee_ids: Collection[UUID]) -> list[Payee]: ...

    async def stale(
        self, *, unready_before: datetime, ready_before: datetime, limit: int
    ) -> list[str]:
        """Accounts not asked about since: by whether they can be paid; oldest first."""
        ...
