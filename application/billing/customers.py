"""The customer that a user is at the payment provider: one, however many ask at once.

The intent is committed first. Who asks again after an answer was lost asks under the same key; when
the provider may have forgotten that key, it is asked for the customer before another is made.
"""

from datetime import timedelta

from application.ports.billing import Billing
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.studio.subscribing import BillingCustomer

KEY_LIVES = timedelta(hours=20)
"""Less than a provider remembers a key for."""

COMPARE = timedelta(days=1)
"""How often the provider is asked what subscriptions a customer has."""


async def customer_of(actor: Actor, *, uow: UnitOfWork, billing: Billing, clock: Clock) -> str:
    """The provider's id of the user. Raises provider errors."""
    now = clock.now()
    async with uow:
        email = (await uow.users.get(actor.user_id)).email
        intent = await uow.billing_customers.intend(
            BillingCustomer(id=actor.user_id, created_at=now, compare_at=now + COMPARE)
        )
        await uow.commit()
    if intent.provider_id is not None:
        return intent.provider_id
    found = None
    if intent.created_at + KEY_LIVES < now:
        found = await billing.find_customer(user_id=actor.user_id, email=email)
    made = found or await billing.open_customer(user_id=actor.user_id, email=email)
    async with uow:
        customer = await uow.billing_customers.get(actor.user_id, lock=True)
        if customer.provider_id is None:
            customer.provider_id = made
            await uow.commit()
    return customer.provider_id
