"""Where credits, plans and what was used of them are kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.studio.credits import CreditKind, Hold, Wallet
from domain.studio.plans import PlanSubscription


class Credits(Protocol):
    """Wallets and what they hold for jobs. The lock of a wallet guards its holds; it is taken
    after the locks of jobs and purchases."""

    async def wallet(self, user_id: UUID) -> Wallet:
        """Locked, and empty for who had none. Save it before it is asked for again."""
        ...

    async def save(self, wallet: Wallet) -> None:
        """Write the fresh entries, and the balance from what it was when it was read: one
        conditional UPDATE. Raises StaleVersion."""
        ...

    async def hold(self, job_id: UUID, round: int) -> Hold | None: ...

    def add_hold(self, hold: Hold) -> None: ...

    async def abandoned(self, *, ended_before: datetime, limit: int) -> Sequence[tuple[UUID, int]]:
        """Open holds of jobs that ended before then, or of which there is none; the oldest
        first."""
        ...

    async def lapsed(self, *, today: date, limit: int) -> Sequence[UUID]:
        """Whose wallets still show the grant of an earlier day."""
        ...


class PlanSubscriptions(Protocol):
    async def get(self, subscription_id: UUID, *, lock: bool = False) -> PlanSubscription: ...

    def add(self, subscription: PlanSubscription) -> None: ...

    async def standing(self, user_id: UUID) -> Sequence[PlanSubscription]:
        """Those that have not ended, the oldest first."""
        ...


class StudioUse(Protocol):
    async def count(
        self, user_id: UUID, day: date, *, jobs: int = 0, credits: int = 0, stored_bytes: int = 0
    ) -> None:
        """Add to what a user has used on a day."""
        ...


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as its owner reads it."""

    number: int
    kind: CreditKind
    credits: int
    held: int
    spent: int
    lapsed: int
    balance_after: int
    held_after: int
    job_id: UUID | None
    purchase_id: UUID | None
    reason: str | None
    at: datetime


class UseOfDay(msgspec.Struct, frozen=True, kw_only=True):
    day: date
    jobs: int
    credits: int
    bytes: int


class CreditViews(Protocol):
    async def entries(self, user_id: UUID, *, before: int | None, limit: int) -> Sequence[EntryRow]:
        """The newest first; `before` is the number of the last one seen."""
        ...

    async def use(self, user_id: UUID, *, first: date, last: date) -> Sequence[UseOfDay]:
        """Days on which something was used, both ends included."""
        ...
