"""Hold what we know of subscriptions against the provider's list, customer by customer, every day.

Webhooks get lost, and subscriptions begin and change in the provider's dashboard and portal. Every
one that the provider lists is fetched and recorded as it is, with its paid invoices; those that we
know to have ended cannot change any more.
"""

import msgspec

from application.billing.customers import COMPARE
from application.billing.subscriptions import REFRESH_SUBSCRIPTION, RefreshSubscription
from application.ports.billing import Billing
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork

COMPARE_CUSTOMER = "billing.compare_customer"


class CompareCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """`customer_id` is the provider's id."""

    customer_id: str


async def compare_customer(customer_id: str, *, uow: UnitOfWork, billing: Billing) -> None:
    """Handles `billing.compare_customer`. Raises provider errors."""
    listed = await billing.subscriptions_of(customer_id)
    if not listed:
        return
    async with uow:
        ended = await uow.plan_subscriptions.ended(listed)
        for provider_id in listed:
            if provider_id not in ended:
                uow.outbox.add(REFRESH_SUBSCRIPTION, RefreshSubscription(provider_id=provider_id))
        await uow.commit()


async def sweep_customers(*, uow: UnitOfWork, clock: Clock, limit: int = 200) -> int:
    """Have the customers compared whose day is over; answers how many."""
    now = clock.now()
    async with uow:
        due = await uow.billing_customers.claim_comparable(
            now=now, again_at=now + COMPARE, limit=limit
        )
        for customer_id in due:
            uow.outbox.add(COMPARE_CUSTOMER, CompareCustomer(customer_id=customer_id))
        await uow.commit()
    return len(due)
