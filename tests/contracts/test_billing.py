"""What every adapter of the billing port promises."""

import abc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from adapters.memory.billing import MemoryBilling
from adapters.memory.provider_calls import ProviderCalls
from adapters.memory.system import ManualClock
from adapters.stripe.billing import StripeBilling
from application.ports.billing import Billing, BillingPage, PlanRequest, PurchaseRequest
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from domain.studio.plans import Interval, PlanName, SubscriptionStatus
from tests.builders import NOON
from tests.contracts.conftest import Sandbox
from tests.contracts.payment_providers import stripe_over

OPERATIONS = {
    "open_customer": "POST /v1/customers",
    "page_state": "GET /v1/checkout/sessions/{id}",
    "sell_credits": "POST /v1/checkout/sessions",
}


class World(abc.ABC):
    """An adapter, and what users do on the pages behind it."""

    billing: Billing

    @abc.abstractmethod
    def now(self) -> datetime: ...

    @abc.abstractmethod
    async def pay(self, page: BillingPage) -> None: ...

    @abc.abstractmethod
    async def cancel(self, customer_id: str, subscription_id: str) -> None: ...

    @abc.abstractmethod
    async def month_passes(self, subscription_id: str, *, paid: bool) -> None: ...

    @abc.abstractmethod
    def fail(self, operation: str, *, lost_answer: bool) -> None: ...

    @abc.abstractmethod
    async def recover(self) -> None: ...


class MemoryWorld(World):
    def __init__(self) -> None:
        self._clock = ManualClock(NOON)
        self.billing = self._played = MemoryBilling(self._clock, ProviderCalls(self._clock))

    def now(self) -> datetime:
        return self._clock.now()

    async def pay(self, page: BillingPage) -> None:
        self._played.pay(page.session_id)

    async def cancel(self, customer_id: str, subscription_id: str) -> None:
        self._played.change(subscription_id, cancel_at_period_end=True)

    async def month_passes(self, subscription_id: str, *, paid: bool) -> None:
        state = self._played.subscriptions[subscription_id]
        if state.cancel_at_period_end:
            self._played.change(subscription_id, status=SubscriptionStatus.CANCELED)
        else:
            self._played.renew(subscription_id, amount_cents=2_900, paid=paid)

    def fail(self, operation: str, *, lost_answer: bool) -> None:
        self._played.calls.fail(operation, "lost_answer" if lost_answer else "unavailable")

    async def recover(self) -> None:
        self._played.calls.recover()


class SandboxWorld(World):
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.api = stripe_over(sandbox)
        self.billing = StripeBilling(self.api)
        self._customers: dict[str, str] = {}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._sandbox.state()["now"], UTC)

    async def pay(self, page: BillingPage) -> None:
        await self._press(f"{page.url}/pay", card="4242424242424242")

    async def cancel(self, customer_id: str, subscription_id: str) -> None:
        await self._press(await self._portal(customer_id) + "/cancel")

    async def month_passes(self, subscription_id: str, *, paid: bool) -> None:
        state = await self.billing.subscription(subscription_id)
        assert state is not None
        if not paid:
            card = "4000000000000341"
            await self._press(await self._portal(state.customer_id) + "/card", card=card)
        self._sandbox.control("clock", advance_seconds=31 * 24 * 3600)

    def fail(self, operation: str, *, lost_answer: bool) -> None:
        self._sandbox.control(
            "failures",
            provider="stripe",
            kind="timeout_after_acceptance" if lost_answer else "status",
            operation=OPERATIONS[operation],
            status=503,
        )

    async def recover(self) -> None:
        async with httpx.AsyncClient() as client:
            await client.delete(f"{self._sandbox.url}/control/failures")

    async def _portal(self, customer_id: str) -> str:
        return await self.billing.portal(
            customer_id=customer_id, return_url="https://shop.example/plan"
        )

    async def _press(self, url: str, **form: str) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, data=form)
        assert answer.status_code == 303, answer.text


@pytest.fixture(params=["memory", "stripe"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    made = SandboxWorld(request.getfixturevalue("sandbox"))
    yield made
    await made.api.close()


async def customer(world: World, user_id: UUID | None = None) -> str:
    return await world.billing.open_customer(user_id=user_id or uuid4(), email="ada@example.com")


def purchase(world: World, customer_id: str, purchase_id: UUID | None = None) -> PurchaseRequest:
    return PurchaseRequest(
        purchase_id=purchase_id or uuid4(),
        customer_id=customer_id,
        title="500 credits",
        amount_cents=500,
        currency="usd",
        success_url="https://shop.example/a",
        cancel_url="https://shop.example/b",
        expires_at=world.now() + timedelta(hours=1),
    )


async def subscribed(world: World, customer_id: str) -> str:
    """A subscription to Pro that was just paid."""
    page = await world.billing.sell_plan(plan(world, customer_id))
    await world.pay(page)
    found = (await world.billing.page_state(page.session_id)).subscription_id
    assert found is not None
    return found


def plan(world: World, customer_id: str) -> PlanRequest:
    return PlanRequest(
        checkout_id=uuid4(),
        customer_id=customer_id,
        plan=PlanName.PRO,
        plan_version=1,
        interval=Interval.MONTH,
        amount_cents=2_900,
        currency="usd",
        success_url="https://shop.example/a",
        cancel_url="https://shop.example/b",
        expires_at=world.now() + timedelta(hours=1),
    )


async def test_a_user_is_one_customer(world: World) -> None:
    user_id = uuid4()
    assert await customer(world, user_id) == await customer(world, user_id)
    found = await world.billing.find_customer(user_id=user_id, email="ada@example.com")
    assert found == await customer(world, user_id)
    assert await world.billing.find_customer(user_id=uuid4(), email="ada@example.com") is None


async def test_a_page_of_credits_is_paid_once(world: World) -> None:
    page = await world.billing.sell_credits(purchase(world, await customer(world)))
    opened = await world.billing.page_state(page.session_id)
    assert (opened.status, opened.paid) == ("open", None)

    await world.pay(page)

    state = await world.billing.page_state(page.session_id)
    assert state.status == "complete"
    assert state.paid is not None
    assert (state.paid.amount_cents, state.paid.currency) == (500, "usd")
    await world.billing.close_page(page.session_id)
    assert await world.billing.page_state(page.session_id) == state


async def test_the_same_wish_is_the_same_page(world: World) -> None:
    request = purchase(world, await customer(world))
    first = await world.billing.sell_credits(request)
    assert await world.billing.sell_credits(request) == first


async def test_a_page_can_be_closed(world: World) -> None:
    page = await world.billing.sell_credits(purchase(world, await customer(world)))
    await world.billing.close_page(page.session_id)
    await world.billing.close_page(page.session_id)
    assert (await world.billing.page_state(page.session_id)).status == "expired"


async def test_a_subscription_begins_with_a_paid_invoice(world: World) -> None:
    customer_id = await customer(world)
    provider_id = await subscribed(world, customer_id)

    state = await world.billing.subscription(provider_id)
    assert state is not None
    assert (state.plan, state.plan_version, state.interval) == (PlanName.PRO, 1, Interval.MONTH)
    assert (state.status, state.customer_id) == (SubscriptionStatus.ACTIVE, customer_id)
    assert timedelta(days=27) < state.period_end - state.period_start < timedelta(days=32)
    (invoice_id,) = await world.billing.paid_invoices(provider_id)
    invoice = await world.billing.paid_invoice(invoice_id)
    assert invoice.charge is not None
    assert (invoice.charge.amount_cents, invoice.charge.currency) == (2_900, "usd")
    assert await world.billing.subscriptions_of(customer_id) == [provider_id]


async def test_tax_is_paid_on_the_page_and_each_payment_has_a_document(world: World) -> None:
    customer_id = await customer(world)
    taxed = msgspec.structs.replace(purchase(world, customer_id), tax_cents=95)
    page = await world.billing.sell_credits(taxed)
    await world.pay(page)
    paid = (await world.billing.page_state(page.session_id)).paid
    assert paid is not None
    assert paid.amount_cents == 595
    receipt = await world.billing.document(charge_id=paid.charge_id, invoice_id=None)
    assert receipt is not None

    (invoice_id,) = await world.billing.paid_invoices(await subscribed(world, customer_id))
    invoice = await world.billing.paid_invoice(invoice_id)
    assert invoice.charge is not None
    document = await world.billing.document(
        charge_id=invoice.charge.charge_id, invoice_id=invoice_id
    )
    assert document not in (None, receipt)


async def test_a_subscription_is_cancelled_at_once_and_once(world: World) -> None:
    provider_id = await subscribed(world, await customer(world))
    for _ in range(2):
        await world.billing.cancel(provider_id)
    state = await world.billing.subscription(provider_id)
    assert state is not None
    assert state.status is SubscriptionStatus.CANCELED


async def test_a_price_is_made_once(world: World) -> None:
    """The second subscriber finds what the first one's page made."""
    first = await subscribed(world, await customer(world))
    second = await subscribed(world, await customer(world))
    for provider_id in (first, second):
        state = await world.billing.subscription(provider_id)
        assert state is not None


async def test_a_period_that_ends_is_followed_by_another(world: World) -> None:
    provider_id = await subscribed(world, await customer(world))
    before = await world.billing.subscription(provider_id)
    await world.month_passes(provider_id, paid=True)
    after = await world.billing.subscription(provider_id)
    assert before is not None
    assert after is not None
    assert after.period_start == before.period_end
    assert len(await world.billing.paid_invoices(provider_id)) == 2


async def test_an_invoice_that_is_not_paid_leaves_the_plan_past_due(world: World) -> None:
    provider_id = await subscribed(world, await customer(world))
    await world.month_passes(provider_id, paid=False)
    state = await world.billing.subscription(provider_id)
    assert state is not None
    assert state.status is SubscriptionStatus.PAST_DUE
    assert len(await world.billing.paid_invoices(provider_id)) == 1


async def test_a_cancelled_plan_ends_with_its_period(world: World) -> None:
    customer_id = await customer(world)
    provider_id = await subscribed(world, customer_id)
    await world.cancel(customer_id, provider_id)
    state = await world.billing.subscription(provider_id)
    assert state is not None
    assert (state.status, state.cancel_at_period_end) == (SubscriptionStatus.ACTIVE, True)
    await world.month_passes(provider_id, paid=True)
    state = await world.billing.subscription(provider_id)
    assert state is not None
    assert state.status is SubscriptionStatus.CANCELED


async def test_what_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(Rejected):
        await world.billing.page_state("cs_none")
    with pytest.raises(Rejected):
        await world.billing.subscription("sub_none")
    with pytest.raises(Rejected):
        await world.billing.sell_credits(purchase(world, "cus_none"))


async def test_a_lost_answer_is_repeated_under_the_same_key(world: World) -> None:
    user_id = uuid4()
    world.fail("open_customer", lost_answer=True)
    with pytest.raises(OutcomeUnknown):
        await customer(world, user_id)
    await world.recover()
    first = await customer(world, user_id)
    assert await world.billing.find_customer(user_id=user_id, email="ada@example.com") == first


async def test_a_provider_that_is_away_is_unavailable(world: World) -> None:
    page = await world.billing.sell_credits(purchase(world, await customer(world)))
    world.fail("page_state", lost_answer=False)
    with pytest.raises(Unavailable):
        await world.billing.page_state(page.session_id)
