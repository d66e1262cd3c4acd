"""Payouts, bank accounts and what payees chose, in dicts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.ledger.bank_account import BankAccount
from domain.ledger.payout import Payout, PayoutState
from domain.ledger.payout_settings import PayoutSettings
from domain.shared.money import Currency

BANK_ACCOUNT_KEYS: UniqueKeys[BankAccount] = {
    lambda account: account.provider_id: already_exists,
    lambda account: account.payee_id if account.is_default else None: already_exists,
}
PAYOUT_KEYS: UniqueKeys[Payout] = {
    lambda payout: payout.provider_id: already_exists,
    lambda payout: (payout.payee_id, payout.request_key) if payout.request_key else None: (
        already_exists
    ),
    lambda payout: (
        (payout.payee_id, payout.currency, payout.payout_day) if payout.payout_day else None
    ): already_exists,
}


class MemoryPayoutSettings(MemoryRepository[PayoutSettings]):
    async def of_payee(self, payee_id: UUID, *, lock: bool = False) -> PayoutSettings:
        return self._peek(payee_id) or PayoutSettings(id=payee_id)

    async def many(self, payee_ids: Collection[UUID]) -> Mapping[UUID, PayoutSettings]:
        return {settings.id: settings for settings in self._where(lambda s: s.id in payee_ids)}


class MemoryBankAccounts(MemoryRepository[BankAccount]):
    async def of_payee(self, payee_id: UUID) -> list[BankAccount]:
        found = self._where(lambda a: a.payee_id == payee_id and a.is_there)
        return sorted(found, key=lambda account: account.id)

    async def defaults(self, payee_ids: Collection[UUID]) -> Mapping[UUID, BankAccount]:
        found = self._where(lambda a: a.payee_id in payee_ids and a.is_default)
        return {account.payee_id: account for account in found}

    async def choose(self, chosen: BankAccount, *, among: Sequence[BankAccount]) -> None:
        for account in among:
            account.is_default = account is chosen


class MemoryPayouts(MemoryRepository[Payout]):
    async def by_request_key(self, payee_id: UUID, request_key: str) -> Payout | None:
        return next(
            self._where(lambda p: (p.payee_id, p.request_key) == (payee_id, request_key)), None
        )

    async def of_day(
        self, day: date, payee_ids: Collection[UUID]
    ) -> Collection[tuple[UUID, Currency]]:
        found = self._where(lambda p: p.payout_day == day and p.payee_id in payee_ids)
        return {(payout.payee_id, payout.currency) for payout in found}

    async def silent(self, *, before: datetime, limit: int) -> list[UUID]:
        waiting = (PayoutState.SENT, PayoutState.UNKNOWN)
        found = self._where(
            lambda p: p.state in waiting and p.asked_at is not None and p.asked_at < before
        )
        return [p.id for p in sorted(found, key=lambda p: p.asked_at or before)][:limit]

    async def to_look_at_again(self, *, now: datetime, limit: int) -> list[UUID]:
        found = self._where(lambda p: p.look_again_at is not None and p.look_again_at <= now)
        return [p.id for p in sorted(found, key=lambda p: p.look_again_at or now)][:limit]
