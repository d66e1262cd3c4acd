"""The played payment provider's billing: pages, subscriptions, renewals, and a portal to press."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from adapters.memory.provider_calls import ProviderCalls, refused
from application.ports.billing import (
    BillingPage,
    PageState,
    PaidCharge,
    PaidInvoice,
    PlanRequest,
    PurchaseRequest,
    SubscriptionState,
)
from application.ports.clock import Clock
from domain.studio.plans import Interval, SubscriptionStatus


@dataclass
class _Page:
    id: str
    request: PurchaseRequest | PlanRequest
    status: Literal["open", "complete", "expired"] = "open"
    paid: PaidCharge | None = None
    subscription_id: str | None = None


@dataclass
class MemoryBilling:
    """See `application.ports.billing.Billing`. `charged` are all charges, in order."""

    clock: Clock
    calls: ProviderCalls
    customers: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    pages: dict[str, _Page] = field(default_factory=dict)
    subscriptions: dict[str, SubscriptionState] = field(default_factory=dict)
    invoices: dict[str, tuple[str, PaidInvoice]] = field(default_factory=dict)
    charged: list[PaidCharge] = field(default_factory=list)
    made: int = 0
    charge: Callable[[int, str], str] | None = None
    """Takes the money where refunds and fees of it are known; answers the charge."""

    async def open_customer(self, *, user_id: UUID, email: str) -> str:
        def act() -> str:
            customer_id = self._new("cus")
            self.customers[user_id] = (customer_id, email)
            return customer_id

        key = f"customer:{user_id}"
        return self.calls.once("open_customer", key=key, request=email, act=act)

    async def find_customer(self, *, user_id: UUID, email: str) -> str | None:
        self.calls.read("find_customer")
        customer_id, known = self.customers.get(user_id, (None, None))
        return customer_id if known == email else None

    async def sell_credits(self, request: PurchaseRequest) -> BillingPage:
        key = f"credits:{request.purchase_id}"
        return self.calls.once(
            "sell_credits", key=key, request=request, act=lambda: self._open(request)
        )

    async def sell_plan(self, request: PlanRequest) -> BillingPage:
        key = f"plan:{request.checkout_id}"
        return self.calls.once(
            "sell_plan", key=key, request=request, act=lambda: self._open(request)
        )

    async def page_state(self, session_id: str) -> PageState:
        self.calls.read("page_state")
        page = self._page(session_id)
        return PageState(status=page.status, paid=page.paid, subscription_id=page.subscription_id)

    async def close_page(self, session_id: str) -> None:
        self.calls.read("close_page")
        page = self._page(session_id)
        if page.status == "open":
            page.status = "expired"

    async def portal(self, *, customer_id: str, return_url: str) -> str:
        self.calls.read("portal")
        if customer_id not in {known for known, _ in self.customers.values()}:
            raise refused("There is no such customer.", reason="resource_missing")
        return f"https://payments.invalid/portal/{customer_id}"

    async def subscription(self, provider_id: str) -> SubscriptionState | None:
        self.calls.read("subscription")
        if provider_id not in self.subscriptions:
            raise refused("There is no such subscription.", reason="resource_missing")
        return self.subscriptions[provider_id]

    async def subscriptions_of(self, customer_id: str) -> Sequence[str]:
        self.calls.read("subscriptions_of")
        found = (one for one in self.subscriptions.values() if one.customer_id == customer_id)
        return [one.provider_id for one in reversed(list(found))]

    async def cancel(self, provider_id: str) -> None:
        self.calls.read("cancel")
        await self.subscription(provider_id)
        self.change(provider_id, status=SubscriptionStatus.CANCELED)

    async def paid_invoices(self, subscription_id: str) -> Sequence[str]:
        self.calls.read("paid_invoices")
        found = [key for key, (of, _) in self.invoices.items() if of == subscription_id]
        return found[::-1]

    async def paid_invoice(self, invoice_id: str) -> PaidInvoice:
        self.calls.read("paid_invoice")
        return self.invoices[invoice_id][1]

    async def document(self, *, charge_id: str, invoice_id: str | None) -> str | None:
        self.calls.read("document")
        if charge_id not in {charge.charge_id for charge in self.charged}:
            raise refused("There is no such charge.", reason="resource_missing")
        return f"https://payments.invalid/documents/{invoice_id or charge_id}"

    # What happens at the provider.

    def pay(self, session_id: str) -> None:
        """The user pays on a page: credits are charged, a subscription begins."""
        page = self._page(session_id)
        if page.status != "open":
            raise ValueError(f"the page is {page.status}")
        page.status = "complete"
        if isinstance(page.request, PurchaseRequest):
            paid_cents = page.request.amount_cents + page.request.tax_cents
            page.paid = self._charge(paid_cents, page.request.currency)
            return
        request, now = page.request, self.clock.now().replace(microsecond=0)
        subscription = SubscriptionState(
            provider_id=self._new("sub"),
            customer_id=request.customer_id,
            plan=request.plan,
            plan_version=request.plan_version,
            interval=request.interval,
            status=SubscriptionStatus.ACTIVE,
            period_start=now,
            period_end=_after(now, request.interval),
            cancel_at_period_end=False,
        )
        page.subscription_id = subscription.provider_id
        self.subscriptions[subscription.provider_id] = subscription
        self._invoice(subscription, request.amount_cents, request.currency)

    def change(self, provider_id: str, **changes: object) -> None:
        """Whatever the user does in the portal, or the provider by itself."""
        subscription = self.subscriptions[provider_id]
        self.subscriptions[provider_id] = msgspec.structs.replace(subscription, **changes)

    def renew(self, provider_id: str, *, amount_cents: int, paid: bool = True) -> None:
        """A period has ended: the next one begins, and its invoice is paid, or is not."""
        before = self.subscriptions[provider_id]
        self.change(
            provider_id,
            period_start=before.period_end,
            period_end=_after(before.period_end, before.interval),
            status=SubscriptionStatus.ACTIVE if paid else SubscriptionStatus.PAST_DUE,
        )
        if paid:
            self._invoice(before, amount_cents, "usd")

    def _invoice(self, subscription: SubscriptionState, amount_cents: int, currency: str) -> None:
        invoice = PaidInvoice(
            invoice_id=self._new("in"),
            tax_cents=0,
            charge=self._charge(amount_cents, currency),
            paid_at=self.clock.now().replace(microsecond=0),
        )
        self.invoices[invoice.invoice_id] = (subscription.provider_id, invoice)

    def _open(self, request: PurchaseRequest | PlanRequest) -> BillingPage:
        if request.customer_id not in {known for known, _ in self.customers.values()}:
            raise refused("There is no such customer.", reason="resource_missing")
        page = _Page(self._new("cs"), request)
        self.pages[page.id] = page
        return BillingPage(session_id=page.id, url=f"https://payments.invalid/checkout/{page.id}")

    def _page(self, session_id: str) -> _Page:
        if session_id not in self.pages:
            raise refused("There is no such page.", reason="resource_missing")
        page = self.pages[session_id]
        if page.status == "open" and page.request.expires_at <= self.clock.now():
            page.status = "expired"
        return page

    def _charge(self, amount_cents: int, currency: str) -> PaidCharge:
        made = self.charge(amount_cents, currency) if self.charge else self._new("ch")
        charge = PaidCharge(charge_id=made, amount_cents=amount_cents, currency=currency)
        self.charged.append(charge)
        return charge

    def _new(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}_billing_{self.made}"


def _after(moment: datetime, interval: Interval) -> datetime:
    return moment + timedelta(days=30 if interval is Interval.MONTH else 365)
