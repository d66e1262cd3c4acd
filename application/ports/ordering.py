"""Keeping orders and refunds."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.ordering.dispute import Dispute
from domain.ordering.invoice import Invoice, InvoiceKind
from domain.ordering.news import OrderNews
from domain.ordering.order import Order, PaymentStatus
from domain.ordering.refund import Refund
from domain.ordering.settlement import Settlement, SettlementPlan


class Orders(Repository[Order], Protocol):
    """`get` loads an order with its lines and their legs."""

    async def by_request_key(
        self, buyer_id: UUID | None, request_key: str, *, guest_email: str | None = None
    ) -> Order | None:
        """The order that the buyer, or the guest, placed under this idempotency key."""
        ...

    async def settlement_plans(self, order_ids: Collection[UUID]) -> list[SettlementPlan]:
        """The orders, locked in order of their ids, with their legs summed."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Mark the orders paid, keep their earnings, commit their stock, and give their buyers
        the clean originals: a few statements, whatever the number."""
        ...

    async def close_unpaid(self, order_id: UUID, *, status: PaymentStatus) -> bool:
        """End an order that nobody paid and free its stock; False when it had ended already."""
        ...

    async def by_charge(self, charge_id: str) -> UUID | None:
        """The order that this charge paid."""
        ...

    async def charges(self, order_ids: Collection[UUID]) -> dict[UUID, str]:
        """The charges that paid these orders."""
        ...

    async def taxed_by_provider(self, order_ids: Collection[UUID]) -> list[UUID]:
        """Those of the orders whose tax a provider computed, and wants to hear of."""
        ...

    async def awaiting_address(self, order_ids: Collection[UUID]) -> list[UUID]:
        """Those of the orders whose address the payment page alone knows."""
        ...

    async def take_news(self, order_ids: Collection[UUID]) -> list[OrderNews]:
        """The orders as they stand, locked in order of their ids: those that stand otherwise than
        when they were taken last."""
        ...

    async def unended(self, order_ids: Collection[UUID]) -> list[UUID]:
        """Those of the orders that are neither paid nor closed."""
        ...

    async def claim_reconcilable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> list[UUID]:
        """Unpaid orders about which the provider should be asked, each put off to `again_at`."""
        ...


class Disputes(Repository[Dispute], Protocol):
    async def of_order(self, order_id: UUID) -> list[Dispute]:
        """All disputes of an order, locked, oldest first."""
        ...


class Refunds(Repository[Refund], Protocol):
    async def by_request_key(self, order_id: UUID, request_key: str) -> Refund | None: ...

    async def by_provider_id(self, provider_id: str) -> Refund | None: ...


class Invoices(Repository[Invoice], Protocol):
    """Invoices and credit notes, which are added and never changed."""

    async def next_in_series(self, kind: InvoiceKind, year: int) -> int:
        """The next number, from 1. The series is locked until the transaction ends; without a
        commit the number is given again."""
        ...

    async def of_order(self, order_id: UUID) -> Invoice | None:
        """The invoice of an order."""
        ...

    async def credit_notes(self, order_id: UUID) -> list[Invoice]:
        """Those of an order, oldest first."""
        ...
