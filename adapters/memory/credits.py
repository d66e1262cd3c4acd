"""Credits, plans and use in dicts."""

from collections.abc import Collection, Sequence, Set
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from adapters.memory.studio import MemoryJobs
from application.ports.credits import UseOfDay
from application.ports.repository import StaleVersion
from domain.studio.contested import Freeze
from domain.studio.credits import CreditEntry, CreditKind, Hold, Wallet
from domain.studio.plans import PlanSubscription


def hold_key(hold: Hold) -> tuple[UUID, int]:
    return hold.job_id, hold.round


PLAN_SUBSCRIPTION_KEYS: UniqueKeys[PlanSubscription] = {
    lambda s: s.provider_id: already_exists,
}


@dataclass
class Kept:
    """What is committed: wallets, entries in order, and days."""

    wallets: dict[UUID, Wallet] = field(default_factory=dict)
    entries: list[CreditEntry] = field(default_factory=list)
    days: dict[tuple[UUID, date], UseOfDay] = field(default_factory=dict)


class MemoryCredits:
    """See `application.ports.credits.Credits`."""

    def __init__(
        self,
        kept: Kept,
        holds: MemoryRepository[Hold],
        freezes: MemoryRepository[Freeze],
        jobs: MemoryJobs,
    ) -> None:
        self._kept = kept
        self._freezes = freezes
        self._holds = holds
        self._jobs = jobs
        self._read: dict[UUID, int] = {}
        self._wallets: dict[UUID, Wallet] = {}
        self._entries: list[CreditEntry] = []

    async def wallet(self, user_id: UUID) -> Wallet:
        found = self._wallets.get(user_id) or self._kept.wallets.get(user_id)
        wallet = _copied(found) if found else Wallet(user_id=user_id)
        self._read.setdefault(user_id, wallet.number)
        return wallet

    async def save(self, wallet: Wallet) -> None:
        if not wallet.fresh:
            return
        known = self._wallets.get(wallet.user_id) or self._kept.wallets.get(wallet.user_id)
        if wallet.fresh[0].number != (known.number if known else 0) + 1:
            raise StaleVersion("It was changed meanwhile: load it again.")
        self._entries += wallet.fresh
        wallet.fresh.clear()
        self._wallets[wallet.user_id] = _copied(wallet)

    async def hold(self, job_id: UUID, round: int) -> Hold | None:
        return self._holds._peek((job_id, round))

    def add_hold(self, hold: Hold) -> None:
        self._holds.add(hold)

    async def freeze(self, dispute_id: UUID) -> Freeze | None:
        return self._freezes._peek(dispute_id)

    def add_freeze(self, freeze: Freeze) -> None:
        self._freezes.add(freeze)

    async def open_freezes(self, wallet_id: UUID) -> Sequence[Freeze]:
        found = self._freezes._where(lambda one: one.wallet_id == wallet_id and one.is_open)
        return sorted(found, key=lambda one: (one.opened_at, one.dispute_id))

    async def abandoned(self, *, ended_before: datetime, limit: int) -> Sequence[tuple[UUID, int]]:
        found = []
        for hold in self._holds._where(lambda h: h.is_open and h.reserved_at < ended_before):
            job = self._jobs._peek(hold.job_id)
            ended = job and job.finished_at
            if job is None or hold.round < job.round or (ended and ended < ended_before):
                found.append(hold)
        found.sort(key=lambda hold: hold.reserved_at)
        return [hold_key(hold) for hold in found[:limit]]

    async def lapsed(self, *, today: date, limit: int) -> Sequence[UUID]:
        stale = [w for w in self._kept.wallets.values() if w.daily and w.day and w.day < today]
        return [wallet.user_id for wallet in stale[:limit]]

    def check(self) -> None:
        for user_id in self._wallets:
            now = self._kept.wallets.get(user_id)
            if (now.number if now else 0) != self._read[user_id]:
                raise StaleVersion("It was changed meanwhile: load it again.")
        keys = [key for e in (*self._kept.entries, *self._entries) for key in _keys(e)]
        if len(set(keys)) < len(keys):
            raise already_exists()

    def flush(self) -> None:
        self._kept.wallets |= self._wallets
        self._kept.entries += self._entries
        self._wallets, self._entries, self._read = {}, [], {}


class MemoryPlanSubscriptions(MemoryRepository[PlanSubscription]):
    """See `application.ports.credits.PlanSubscriptions`."""

    async def standing(self, user_id: UUID) -> Sequence[PlanSubscription]:
        found = self._where(lambda s: s.user_id == user_id and not s.has_ended)
        return sorted(found, key=lambda s: s.id)

    async def by_provider_id(
        self, provider_id: str, *, lock: bool = False
    ) -> PlanSubscription | None:
        return next(self._where(lambda s: s.provider_id == provider_id), None)

    async def ended(self, provider_ids: Collection[str]) -> Set[str]:
        found = self._where(lambda s: s.provider_id in provider_ids and s.has_ended)
        return {one.provider_id for one in found}

    async def claim_refreshable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        due = self._where(lambda s: not s.has_ended and s.refresh_at <= now)
        claimed = sorted(due, key=lambda s: s.refresh_at)[:limit]
        for subscription in claimed:
            subscription.refresh_at = again_at
        return [subscription.provider_id for subscription in claimed]


class MemoryStudioUse:
    """See `application.ports.credits.StudioUse`."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._counted: list[tuple[UUID, UseOfDay]] = []

    async def count(
        self, user_id: UUID, day: date, *, jobs: int = 0, credits: int = 0, stored_bytes: int = 0
    ) -> None:
        used = UseOfDay(day=day, jobs=jobs, credits=credits, bytes=stored_bytes)
        self._counted.append((user_id, used))

    def flush(self) -> None:
        for user_id, more in self._counted:
            key = user_id, more.day
            had = self._kept.days.get(key) or UseOfDay(day=more.day, jobs=0, credits=0, bytes=0)
            self._kept.days[key] = UseOfDay(
                day=more.day,
                jobs=had.jobs + more.jobs,
                credits=had.credits + more.credits,
                bytes=had.bytes + more.bytes,
            )
        self._counted.clear()


def _keys(entry: CreditEntry) -> list[tuple[object, ...]]:
    keys: list[tuple[object, ...]] = [(entry.user_id, entry.number)]
    if entry.job_id is not None:
        closing = entry.kind in (CreditKind.SETTLE, CreditKind.RELEASE)
        keys.append((entry.job_id, entry.round, "close" if closing else entry.kind))
    if entry.day is not None:
        keys.append((entry.user_id, entry.day, entry.kind, entry.granted_up_to))
    if entry.purchase_id is not None and entry.kind is CreditKind.PURCHASE:
        keys.append((entry.purchase_id, entry.kind))
    return keys


def _copied(wallet: Wallet) -> Wallet:
    copied = copy(wallet)
    copied.fresh = list(wallet.fresh)
    return copied
