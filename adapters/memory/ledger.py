"""The books in dicts: postings and balances, earnings, transfers, reversals and payees."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table, UniqueKeys, already_exists
from application.ports.ledger import BalanceKey
from domain.ledger.earning import (
    Earning,
    EarningState,
    PayeeBalance,
    Reversal,
    ReversalState,
    Transfer,
)
from domain.ledger.payee import Payee
from domain.ledger.payout_rules import InsufficientAvailable
from domain.ledger.posting import Account, EffectMismatch, Transaction
from domain.ledger.write_off import WriteOff
from domain.ordering.dispute import Dispute
from domain.ordering.refund import Refund, RefundStatus
from domain.shared.errors import Conflict
from domain.shared.money import Currency

PAYEE_KEYS: UniqueKeys[Payee] = {lambda payee: payee.account_id: already_exists}
TRANSFER_KEYS: UniqueKeys[Transfer] = {
    lambda transfer: (transfer.order_id, transfer.payee_id): already_exists,
    lambda transfer: transfer.provider_id: already_exists,
}
REVERSAL_KEYS: UniqueKeys[Reversal] = {
    lambda reversal: (
        reversal.refund_id,
        reversal.dispute_id,
        reversal.transfer_id,
    ): already_exists,
    lambda reversal: reversal.provider_id: already_exists,
}

WRITE_OFF_KEYS: UniqueKeys[WriteOff] = {
    lambda written: (written.payee_id, written.request_key): already_exists,
}

_EARNED_BY = frozenset({"sale", "refund", "dispute_won", "dispute_lost"})
_CENTS_OF = {
    Account.PAYABLE_PENDING: "pending_cents",
    Account.PAYABLE_AVAILABLE: "available_cents",
    Account.PAYABLE_RESERVED: "reserved_cents",
    Account.PAYABLE_DISPUTED: "disputed_cents",
}


@dataclass
class Books:
    """What is posted, by effect key, and the balances that it adds up to."""

    posted: dict[str, Transaction] = field(default_factory=dict)
    balances: dict[BalanceKey, PayeeBalance] = field(default_factory=dict)


class MemoryLedger:
    """See `application.ports.ledger.Ledger`."""

    def __init__(self, committed: Books) -> None:
        self._committed = committed
        self._books = Books(dict(committed.posted), dict(committed.balances))

    async def post(self, transactions: Sequence[Transaction]) -> Collection[str]:
        new: set[str] = set()
        for transaction in transactions:
            known = self._books.posted.get(transaction.effect_key)
            if known is None:
                self._books.posted[transaction.effect_key] = transaction
                new.add(transaction.effect_key)
                self._enter(transaction)
            elif known.content_hash != transaction.content_hash:
                raise EffectMismatch(
                    "This effect was posted before with other content.",
                    effect_key=transaction.effect_key,
                )
        for balance in self._books.balances.values():
            for part in ("pending", "reserved", "disputed"):
                if getattr(balance, f"{part}_cents") < 0:
                    raise Conflict(f"The payee has not that much {part}.")
        return frozenset(new)

    async def find(self, effect_key: str) -> Transaction | None:
        return self._books.posted.get(effect_key)

    async def reserve_available(self, reservation: Transaction) -> None:
        for account, payee_id, amount_cents in reservation.entries:
            if account is Account.PAYABLE_AVAILABLE and payee_id is not None:
                balance = self._balance((payee_id, reservation.currency))
                if balance.available_cents + amount_cents < 0:
                    raise InsufficientAvailable
        await self.post([reservation])

    async def lock_balances(
        self, keys: Collection[BalanceKey]
    ) -> Mapping[BalanceKey, PayeeBalance]:
        return {key: self._balance(key) for key in keys}

    def flush(self) -> None:
        self._committed.posted = dict(self._books.posted)
        self._committed.balances = dict(self._books.balances)

    def _enter(self, transaction: Transaction) -> None:
        for account, payee_id, amount_cents in transaction.entries:
            if payee_id is None:
                continue
            key = (payee_id, transaction.currency)
            balance, name = self._balance(key), _CENTS_OF[account]
            earned_cents = amount_cents if transaction.kind in _EARNED_BY else 0
            changes = {
                name: getattr(balance, name) + amount_cents,
                "lifetime_cents": balance.lifetime_cents + earned_cents,
            }
            self._books.balances[key] = replace(balance, **changes)

    def _balance(self, key: BalanceKey) -> PayeeBalance:
        return self._books.balances.get(key, PayeeBalance(*key, 0, 0, 0, 0, 0))


class MemoryPayees(MemoryRepository[Payee]):
    async def by_account(self, account_id: str) -> Payee | None:
        return next(self._where(lambda payee: payee.account_id == account_id), None)

    async def many(self, payee_ids: Collection[UUID]) -> list[Payee]:
        return list(self._where(lambda payee: payee.id in payee_ids))

    async def stale(
        self, *, unready_before: datetime, ready_before: datetime, limit: int
    ) -> list[str]:
        def is_stale(payee: Payee) -> bool:
            if payee.account_id is None:
                return False
            before = ready_before if payee.can_be_paid else unready_before
            return payee.refreshed_at is None or payee.refreshed_at < before

        def asked_at(payee: Payee) -> tuple[bool, datetime]:
            return payee.refreshed_at is not None, payee.refreshed_at or ready_before

        found = sorted(self._where(is_stale), key=asked_at)
        return [payee.account_id for payee in found if payee.account_id][:limit]

    def are_payable(self, payee_ids: Collection[UUID]) -> bool:
        return all(p.can_be_paid for p in self._where(lambda payee: payee.id in payee_ids))


def earning_key(earning: Earning) -> tuple[UUID, UUID]:
    return (earning.order_id, earning.payee_id)


class MemoryEarnings(MemoryRepository[Earning]):
    """Its table's key is `earning_key`: an earning has no id of its own."""

    def __init__(
        self,
        table: Table[Earning],
        *,
        refunds: MemoryRepository[Refund],
        disputes: MemoryRepository[Dispute],
        payees: MemoryPayees,
    ) -> None:
        super().__init__(table)
        self._refunds = refunds
        self._disputes = disputes
        self._payees = payees

    async def due(self, *, now: datetime, limit: int) -> list[Earning]:
        due = [e for e in self._in(EarningState.PENDING) if e.release_at <= now]
        return sorted(due, key=lambda e: (e.release_at, earning_key(e)))[:limit]

    async def released(self, *, limit: int) -> list[Earning]:
        released = [
            e for e in self._in(EarningState.RELEASED) if self._payees.are_payable([e.payee_id])
        ]
        return sorted(released, key=lambda e: (e.released_at or e.release_at, earning_key(e)))[
            :limit
        ]

    async def of_order(self, order_id: UUID) -> list[Earning]:
        return sorted(self._where(lambda e: e.order_id == order_id), key=earning_key)

    async def let_go(self, payee_id: UUID, *, currency: Currency | None = None) -> int:
        kept = self._of(payee_id, EarningState.KEPT, currency)
        for earning in kept:
            earning.state = EarningState.RELEASED
        return len(kept)

    async def keep(self, payee_id: UUID) -> int:
        released = self._of(payee_id, EarningState.RELEASED, None)
        for earning in released:
            earning.state = EarningState.KEPT
        return len(released)

    def _of(self, payee_id: UUID, state: EarningState, currency: Currency | None) -> list[Earning]:
        return [
            e
            for e in self._where(lambda e: e.payee_id == payee_id and e.state is state)
            if currency in (None, e.currency)
        ]

    def _in(self, state: EarningState) -> Iterator[Earning]:
        """Those of orders that have no open refund and no open dispute."""
        pending = self._refunds._where(lambda refund: refund.status is RefundStatus.PENDING)
        disputed = self._disputes._where(lambda dispute: dispute.is_open)
        stopped = {found.order_id for found in pending} | {found.order_id for found in disputed}
        return self._where(lambda e: e.state is state and e.order_id not in stopped)


class MemoryReversals(MemoryRepository[Reversal]):
    async def awaited_cents(self, keys: Collection[BalanceKey]) -> Mapping[BalanceKey, int]:
        awaited: Counter[BalanceKey] = Counter()
        for reversal in self._where(lambda r: r.state is ReversalState.INTENDED):
            if (key := (reversal.payee_id, reversal.currency)) in keys:
                awaited[key] += reversal.amount_cents
        return awaited


class MemoryTransfers(MemoryRepository[Transfer]):
    async def of_order(self, order_id: UUID) -> list[Transfer]:
        found = self._where(lambda transfer: transfer.order_id == order_id)
        return sorted(found, key=lambda transfer: transfer.payee_id)


class MemoryWriteOffs(MemoryRepository[WriteOff]):
    async def by_request_key(self, payee_id: UUID, request_key: str) -> WriteOff | None:
        key = (payee_id, request_key)
        return next(self._where(lambda w: (w.payee_id, w.request_key) == key), None)
