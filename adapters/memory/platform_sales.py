"""Purchases of credits, charges, refunds, customers and pages of plans in dicts."""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.studio.contested import ChargeDispute
from domain.studio.purchases import ChargeRefund, CreditPurchase, PlatformCharge, PurchaseStatus
from domain.studio.subscribing import BillingCustomer, CheckoutPending, PlanCheckout

PURCHASE_KEYS: UniqueKeys[CreditPurchase] = {
    lambda one: (one.user_id, one.request_key): already_exists,
    lambda one: one.charge_id: already_exists,
}
CHARGE_KEYS: UniqueKeys[PlatformCharge] = {
    lambda one: one.purchase_id: already_exists,
    lambda one: one.invoice_id: already_exists,
}
CHARGE_REFUND_KEYS: UniqueKeys[ChargeRefund] = {lambda one: one.provider_id: already_exists}
CHARGE_DISPUTE_KEYS: UniqueKeys[ChargeDispute] = {lambda one: one.provider_id: already_exists}
CUSTOMER_KEYS: UniqueKeys[BillingCustomer] = {lambda one: one.provider_id: already_exists}
PLAN_CHECKOUT_KEYS: UniqueKeys[PlanCheckout] = {
    lambda one: one.user_id if one.is_open else None: lambda: CheckoutPending(
        "Another page of a plan was opened at this moment."
    )
}


class MemoryCreditPurchases(MemoryRepository[CreditPurchase]):
    """See `application.ports.credits.CreditPurchases`."""

    async def by_request_key(self, user_id: UUID, request_key: str) -> CreditPurchase | None:
        key = (user_id, request_key)
        return next(self._where(lambda one: (one.user_id, one.request_key) == key), None)

    async def claim_open(self, *, now: datetime, again_at: datetime, limit: int) -> Sequence[UUID]:
        due = self._where(lambda one: one.status is PurchaseStatus.OPEN and one.ask_at <= now)
        claimed = sorted(due, key=lambda one: one.ask_at)[:limit]
        for purchase in claimed:
            purchase.ask_at = again_at
        return [purchase.id for purchase in claimed]


class MemoryPlatformCharges(MemoryRepository[PlatformCharge]):
    """See `application.ports.credits.PlatformCharges`."""

    async def find(self, charge_id: str, *, lock: bool = False) -> PlatformCharge | None:
        return self._peek(charge_id)

    async def known_invoices(self, invoice_ids: Collection[str]) -> Set[str]:
        found = self._where(lambda one: one.invoice_id in invoice_ids)
        return {one.invoice_id for one in found if one.invoice_id}


class MemoryChargeRefunds(MemoryRepository[ChargeRefund]):
    """See `application.ports.credits.ChargeRefunds`."""

    async def by_provider_id(self, provider_id: str) -> ChargeRefund | None:
        return next(self._where(lambda one: one.provider_id == provider_id), None)


class MemoryChargeDisputes(MemoryRepository[ChargeDispute]):
    """See `application.ports.credits.ChargeDisputes`."""

    async def by_provider_id(self, provider_id: str) -> ChargeDispute | None:
        return next(self._where(lambda one: one.provider_id == provider_id), None)


class MemoryBillingCustomers(MemoryRepository[BillingCustomer]):
    """See `application.ports.credits.BillingCustomers`."""

    async def intend(self, customer: BillingCustomer) -> BillingCustomer:
        known = self._peek(customer.id)
        if known is None:
            self.add(customer)
        return known or customer

    async def by_provider_id(self, provider_id: str) -> BillingCustomer | None:
        return next(self._where(lambda one: one.provider_id == provider_id), None)

    async def claim_comparable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        due = self._where(lambda one: one.provider_id is not None and one.compare_at <= now)
        claimed = sorted(due, key=lambda one: one.compare_at)[:limit]
        for customer in claimed:
            customer.compare_at = again_at
        return [customer.provider_id for customer in claimed if customer.provider_id]


class MemoryPlanCheckouts(MemoryRepository[PlanCheckout]):
    """See `application.ports.credits.PlanCheckouts`."""

    async def open_of(self, user_id: UUID) -> PlanCheckout | None:
        return next(self._where(lambda one: one.user_id == user_id and one.is_open), None)

    async def claim_open(self, *, now: datetime, again_at: datetime, limit: int) -> Sequence[UUID]:
        due = self._where(lambda one: one.is_open and one.ask_at <= now)
        claimed = sorted(due, key=lambda one: one.ask_at)[:limit]
        for checkout in claimed:
            checkout.ask_at = again_at
        return [checkout.id for checkout in claimed]
