"""What we need of who bills for us: pages where credits and plans are bought, subscriptions, and
what was paid. Whatever is told of them, in whatever order, the object itself is fetched and read.

Every call that makes something takes our id of the intent that was committed before it: it is the
idempotency key, and it is written into the provider's metadata. Errors: `application.ports.errors`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from domain.studio.plans import Interval, PlanName, SubscriptionStatus


class PurchaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page on which a pack of credits is paid, tax on top. `expires_at`: 30 minutes to 24 hours
    ahead."""

    purchase_id: UUID
    customer_id: str
    title: str
    amount_cents: int
    tax_cents: int = 0
    currency: str
    success_url: str
    cancel_url: str
    expires_at: datetime


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page on which a subscription to a plan begins."""

    checkout_id: UUID
    customer_id: str
    plan: PlanName
    plan_version: int
    interval: Interval
    amount_cents: int
    currency: str
    success_url: str
    cancel_url: str
    expires_at: datetime


class BillingPage(msgspec.Struct, frozen=True, kw_only=True):
    session_id: str
    url: str


class PaidCharge(msgspec.Struct, frozen=True, kw_only=True):
    charge_id: str
    amount_cents: int
    currency: str


class PageState(msgspec.Struct, frozen=True, kw_only=True):
    """`paid` is there exactly when the money for a purchase is; `subscription_id`, the provider's,
    once a subscription began."""

    status: Literal["open", "complete", "expired"]
    processing: bool = False
    paid: PaidCharge | None = None
    subscription_id: str | None = None


class SubscriptionState(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to a plan, as it stands at the provider."""

    provider_id: str
    customer_id: str
    plan: PlanName
    plan_version: int
    interval: Interval
    status: SubscriptionStatus
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool


class PaidInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """`charge` None: nothing had to be paid."""

    invoice_id: str
    tax_cents: int
    charge: PaidCharge | None
    paid_at: datetime


class Billing(Protocol):
    async def open_customer(self, *, user_id: UUID, email: str) -> str:
        """The customer of a user, found or made; answers its id. The key is of user and
        address."""
        ...

    async def find_customer(self, *, user_id: UUID, email: str) -> str | None:
        """For when the answer of `open_customer` was lost long ago."""
        ...

    async def sell_credits(self, request: PurchaseRequest) -> BillingPage:
        """Key `credits:{purchase_id}`."""
        ...

    async def sell_plan(self, request: PlanRequest) -> BillingPage:
        """The price is found by what it is for, or made. Key `plan:{checkout_id}`."""
        ...

    async def page_state(self, session_id: str) -> PageState: ...

    async def close_page(self, session_id: str) -> None:
        """A page that is complete or expired already stays as it is."""
        ...

    async def portal(self, *, customer_id: str, return_url: str) -> str:
        """A page where a customer changes plan, card, or mind; answers its URL."""
        ...

    async def subscription(self, provider_id: str) -> SubscriptionState | None:
        """None when it is no subscription to a plan of ours."""
        ...

    async def subscriptions_of(self, customer_id: str) -> Sequence[str]:
        """The provider's ids of a customer's subscriptions, ended ones too."""
        ...

    async def cancel(self, provider_id: str) -> None:
        """End a subscription at once, without giving anything back. One that has ended already
        stays as it is."""
        ...

    async def paid_invoices(self, subscription_id: str) -> Sequence[str]:
        """The provider's ids of a subscription's paid invoices."""
        ...

    async def paid_invoice(self, invoice_id: str) -> PaidInvoice: ...

    async def document(self, *, charge_id: str, invoice_id: str | None) -> str | None:
        """The address of the invoice, or of the receipt where there is none, for who paid. It is
        asked for anew each time: such links expire."""
        ...
