"""A counter where credits and plans are sold, over either store and a provider in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.system import ManualClock
from adapters.memory.taxes import MemoryTaxes
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.billing.comparing import compare_customer, sweep_customers
from application.billing.customers import COMPARE
from application.billing.plans import Subscribe, SubscriptionView, read_subscription
from application.billing.plans import start_subscription as start
from application.billing.purchases import (
    BillingPlace,
    BuyCredits,
    PageOpened,
    buy_credits,
    settle_purchase,
    sweep_purchases,
)
from application.billing.refunds import (
    PurchaseRefunded,
    RefundPurchase,
    hear_charge_refund,
    refund_purchase,
    send_charge_refund,
)
from application.billing.subscriptions import (
    refresh_subscription,
    settle_plan_checkout,
    sweep_subscriptions,
)
from application.ledger.fees import record_processing_fee
from application.ports.payments import ProviderRefund
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.posting import Account
from domain.studio.credits import Wallet
from domain.studio.plans import Interval, PlanName
from domain.studio.purchases import CreditPurchase
from tests import builders
from tests.builders import NOON, actor

ADMIN = actor(Role.ADMIN)


@dataclass
class Counter:
    new_uow: Callable[[], UnitOfWork]
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    ids: UuidV7Ids = field(default_factory=UuidV7Ids)
    ada: Actor = field(default_factory=lambda: actor(Role.FAN))

    def __post_init__(self) -> None:
        self.provider = MemoryPaymentProvider(self.clock)
        self.billing = self.provider.billing
        self.taxes = MemoryTaxes()
        self.address_required = False

    async def opened(self) -> "Counter":
        await self.greet(self.ada)
        return self

    async def greet(self, who: Actor) -> None:
        async with self.new_uow() as uow:
            uow.users.add(builders.user(id=who.user_id))
            await uow.commit()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # Credits.

    async def order(
        self, pack: str = "small", *, key: str = "k", place: BillingPlace | None = None
    ) -> PageOpened:
        command = BuyCredits(
            pack=pack,
            place=place,
            success_url="https://shop.example/a",
            cancel_url="https://shop.example/b",
        )
        return await buy_credits(
            command,
            request_key=key,
            actor=self.ada,
            uow=self.new_uow(),
            billing=self.billing,
            taxes=self.taxes,
            address_required=self.address_required,
            clock=self.clock,
            ids=self.ids,
        )

    async def pay(self, opened: PageOpened) -> None:
        self.billing.pay(opened.url.rsplit("/", 1)[1])

    async def settle(self, purchase_id: UUID) -> None:
        await settle_purchase(
            purchase_id, uow=self.new_uow(), billing=self.billing, clock=self.clock
        )

    async def bought(self, pack: str = "small", *, key: str = "k") -> CreditPurchase:
        opened = await self.order(pack, key=key)
        await self.pay(opened)
        await self.settle(opened.id)
        return await self.purchase(opened.id)

    async def purchase(self, purchase_id: UUID) -> CreditPurchase:
        async with self.new_uow() as uow:
            return await uow.credit_purchases.get(purchase_id)

    async def wallet(self) -> Wallet:
        async with self.new_uow() as uow:
            return await uow.credits.wallet(self.ada.user_id)

    async def spend(self, credits: int) -> None:
        """Of what was bought."""
        async with self.new_uow() as uow:
            wallet = await uow.credits.wallet(self.ada.user_id)
            hold = wallet.reserve(credits, job_id=uuid4(), round=1, at=self.now)
            uow.credits.add_hold(hold)
            wallet.settle(hold, credits, at=self.now)
            await uow.credits.save(wallet)
            await uow.commit()

    async def refund(self, purchase_id: UUID, *, by: Actor = ADMIN) -> PurchaseRefunded:
        return await refund_purchase(
            purchase_id,
            RefundPurchase(reason="asked for it"),
            actor=by,
            uow=self.new_uow(),
            clock=self.clock,
            ids=self.ids,
        )

    async def send(self, refund_id: UUID) -> None:
        await send_charge_refund(
            refund_id, uow=self.new_uow(), payments=self.provider.payments, clock=self.clock
        )

    async def hear(self, said: ProviderRefund, charge_id: str) -> bool:
        return await hear_charge_refund(
            said, charge_id=charge_id, uow=self.new_uow(), clock=self.clock, ids=self.ids
        )

    async def book_fee(self, charge_id: str) -> None:
        await record_processing_fee(
            charge_id, uow=self.new_uow(), payments=self.provider.payments, clock=self.clock
        )

    async def sweep(self) -> int:
        purchases = await sweep_purchases(uow=self.new_uow(), clock=self.clock)
        return purchases + await sweep_subscriptions(uow=self.new_uow(), clock=self.clock)

    # Plans.

    async def subscribe(
        self,
        plan: PlanName = PlanName.PRO,
        interval: Interval = Interval.MONTH,
        *,
        key: str = "k",
        who: Actor | None = None,
    ) -> PageOpened:
        command = Subscribe(
            plan=plan,
            interval=interval,
            success_url="https://shop.example/a",
            cancel_url="https://shop.example/b",
        )
        return await start(
            command,
            request_key=key,
            actor=who or self.ada,
            uow=self.new_uow(),
            billing=self.billing,
            clock=self.clock,
            ids=self.ids,
        )

    async def subscribed(self, plan: PlanName = PlanName.PRO) -> str:
        """Paid and recorded; answers the provider's id."""
        opened = await self.subscribe(plan)
        await self.pay(opened)
        await self.settle_page(opened.id)
        return next(reversed(self.billing.subscriptions))

    async def settle_page(self, checkout_id: UUID) -> None:
        await settle_plan_checkout(
            checkout_id,
            uow=self.new_uow(),
            billing=self.billing,
            clock=self.clock,
            ids=self.ids,
        )

    async def refresh(self, provider_id: str) -> None:
        await refresh_subscription(
            provider_id,
            uow=self.new_uow(),
            billing=self.billing,
            clock=self.clock,
            ids=self.ids,
        )

    async def compare(self) -> None:
        """The night: what is asked about every day, and what follows."""
        self.clock.advance(COMPARE)
        assert await sweep_customers(uow=self.new_uow(), clock=self.clock) == 1
        assert await sweep_customers(uow=self.new_uow(), clock=self.clock) == 0
        async with self.new_uow() as uow:
            customer = await uow.billing_customers.get(self.ada.user_id)
        assert customer.provider_id is not None
        await compare_customer(customer.provider_id, uow=self.new_uow(), billing=self.billing)
        async with self.new_uow() as uow:
            listed = await self.billing.subscriptions_of(customer.provider_id)
            ended = await uow.plan_subscriptions.ended(listed)
        for provider_id in listed:
            if provider_id not in ended:
                await self.refresh(provider_id)

    async def view(self) -> SubscriptionView:
        return await read_subscription(actor=self.ada, uow=self.new_uow(), clock=self.clock)

    async def posted(self, *keys: str) -> dict[Account, int]:
        """What these effects come to, account by account."""
        sums: dict[Account, int] = {}
        async with self.new_uow() as uow:
            for key in keys:
                found = await uow.ledger.find(key)
                assert found is not None, key
                for entry in found.entries:
                    sums[entry.account] = sums.get(entry.account, 0) + entry.amount_cents
        return sums


def in_memory() -> Counter:
    database = MemoryDatabase()
    return Counter(cast("Callable[[], UnitOfWork]", lambda: MemoryUnitOfWork(database)))
