"""Where credits, plans and what was used of them are kept."""

from collections.abc import Collection, Sequence, Set
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.studio.contested import ChargeDispute, Freeze
from domain.studio.credits import CreditKind, Hold, Wallet
from domain.studio.plans import PlanSubscription
from domain.studio.purchases import ChargeKind, ChargeRefund, CreditPurchase, PlatformCharge
from domain.studio.subscribing import BillingCustomer, PlanCheckout


class Credits(Protocol):
    """Wallets, what they hold for jobs, and what disputes have frozen of them. The lock of a wallet
    guards its holds and freezes; it is taken after the locks of jobs and purchases."""

    async def wallet(self, user_id: UUID) -> Wallet:
        """Locked, and empty for who had none. Save it before it is asked for again."""
        ...

    async def save(self, wallet: Wallet) -> None:
        """Write the fresh entries, and the balance from what it was when it was read: one
        conditional UPDATE. Raises StaleVersion."""
        ...

    async def hold(self, job_id: UUID, round: int) -> Hold | None: ...

    def add_hold(self, hold: Hold) -> None: ...

    async def freeze(self, dispute_id: UUID) -> Freeze | None: ...

    def add_freeze(self, freeze: Freeze) -> None: ...

    async def open_freezes(self, wallet_id: UUID) -> Sequence[Freeze]:
        """The oldest first."""
        ...

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

    async def by_provider_id(
        self, provider_id: str, *, lock: bool = False
    ) -> PlanSubscription | None: ...

    async def ended(self, provider_ids: Collection[str]) -> Set[str]:
        """Those of the provider's subscriptions that we know to have ended."""
        ...

    async def claim_refreshable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        """The provider's ids of those that are to be asked about, not again before `again_at`."""
        ...


class CreditPurchases(Protocol):
    async def get(self, purchase_id: UUID, *, lock: bool = False) -> CreditPurchase: ...

    def add(self, purchase: CreditPurchase) -> None: ...

    async def by_request_key(self, user_id: UUID, request_key: str) -> CreditPurchase | None: ...

    async def claim_open(self, *, now: datetime, again_at: datetime, limit: int) -> Sequence[UUID]:
        """Open ones whose page is to be asked about, not again before `again_at`."""
        ...


class PlatformCharges(Protocol):
    async def find(self, charge_id: str, *, lock: bool = False) -> PlatformCharge | None: ...

    def add(self, charge: PlatformCharge) -> None: ...

    async def known_invoices(self, invoice_ids: Collection[str]) -> Set[str]: ...


class ChargeRefunds(Protocol):
    async def get(self, refund_id: UUID, *, lock: bool = False) -> ChargeRefund: ...

    def add(self, refund: ChargeRefund) -> None: ...

    async def by_provider_id(self, provider_id: str) -> ChargeRefund | None: ...


class ChargeDisputes(Protocol):
    """The lock of the charge guards them."""

    def add(self, dispute: ChargeDispute) -> None: ...

    async def by_provider_id(self, provider_id: str) -> ChargeDispute | None: ...


class BillingCustomers(Protocol):
    async def intend(self, customer: BillingCustomer) -> BillingCustomer:
        """The customer of this user that there was, or else this one."""
        ...

    async def get(self, user_id: UUID, *, lock: bool = False) -> BillingCustomer: ...

    async def by_provider_id(self, provider_id: str) -> BillingCustomer | None: ...

    async def claim_comparable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        """The provider's ids of those that are to be compared, not again before `again_at`."""
        ...


class PlanCheckouts(Protocol):
    async def get(self, checkout_id: UUID, *, lock: bool = False) -> PlanCheckout: ...

    def add(self, checkout: PlanCheckout) -> None: ...

    async def open_of(self, user_id: UUID) -> PlanCheckout | None: ...

    async def claim_open(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[UUID]: ...


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
    frozen: int
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


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a user paid to the platform. `amount_cents` is with tax; `refunded_cents` has gone back
    or is on its way, `contested_cents` a bank holds."""

    id: str
    kind: ChargeKind
    amount_cents: int
    tax_cents: int
    refunded_cents: int
    contested_cents: int
    currency: str
    purchase_id: UUID | None
    credits: int | None
    paid_at: datetime


class CreditViews(Protocol):
    async def payments(
        self, user_id: UUID, *, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[PaymentRow]:
        """The newest first, from after the (paid_at, id) of the page before."""
        ...

    async def entries(self, user_id: UUID, *, before: int | None, limit: int) -> Sequence[EntryRow]:
        """The newest first; `before` is the number of the last one seen."""
        ...

    async def use(self, user_id: UUID, *, first: date, last: date) -> Sequence[UseOfDay]:
        """Days on which something was used, both ends included."""
        ...
