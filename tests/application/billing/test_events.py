"""What the provider tells of purchases and plans becomes a question, once in a batch."""

from collections.abc import Callable
from typing import cast
from uuid import UUID, uuid4

from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.billing.purchases import SETTLE_PURCHASE
from application.billing.subscriptions import REFRESH_SUBSCRIPTION, SETTLE_PLAN_CHECKOUT
from application.ordering.payment_events import handle_payment_events
from application.ports.messages import Message
from application.ports.payments import (
    PaymentEvent,
    PlanCheckoutTold,
    PurchaseTold,
    RefundChanged,
    SubscriptionTold,
)
from application.ports.payments import ProviderRefund as Said
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.posting import Account
from tests.application.billing.counter import Counter
from tests.application.ordering.conftest import HOLD


async def tell(counter: Counter, *events: PaymentEvent) -> None:
    for event in events:
        counter.provider.webhooks.tell(event)
    messages = [
        Message(
            id=uuid4(),
            box="inbox",
            topic="stripe",
            payload=told.body,
            attempts=1,
            created_at=told.at,
        )
        for told in counter.provider.webhooks.take()
    ]
    failures = await handle_payment_events(
        messages,
        new_uow=counter.new_uow,
        webhooks=counter.provider.webhooks,
        clock=counter.clock,
        ids=counter.ids,
        hold=HOLD,
    )
    assert failures == {}


async def test_the_same_news_twice_is_one_question() -> None:
    database = MemoryDatabase()
    counter = Counter(cast("Callable[[], UnitOfWork]", lambda: MemoryUnitOfWork(database)))
    purchase, checkout = UUID(int=1), UUID(int=2)
    await tell(
        counter,
        PurchaseTold(purchase_id=purchase),
        SubscriptionTold(provider_id="sub_1"),
        PlanCheckoutTold(checkout_id=checkout),
        PurchaseTold(purchase_id=purchase),
        SubscriptionTold(provider_id="sub_1"),
    )
    asked = sorted(message.topic for message in database.messages)
    assert asked == sorted([SETTLE_PURCHASE, REFRESH_SUBSCRIPTION, SETTLE_PLAN_CHECKOUT])


async def test_a_refund_of_a_purchase_goes_its_own_way(counter: Counter) -> None:
    purchase = await counter.bought()
    charge_id = cast("str", purchase.charge_id)
    said = Said(provider_id="re_hand", refund_id=None, status="succeeded", amount_cents=500)
    await tell(
        counter,
        RefundChanged(charge_id=charge_id, refund=said),
        RefundChanged(charge_id=charge_id, refund=said),
    )
    async with counter.new_uow() as uow:
        adopted = await uow.charge_refunds.by_provider_id("re_hand")
    assert adopted is not None
    posted = await counter.posted(f"platform_refund:{adopted.id}")
    assert posted[Account.STRIPE_CLEARING] == 500
    assert (await counter.wallet()).bought == 0
