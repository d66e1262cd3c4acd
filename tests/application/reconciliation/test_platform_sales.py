"""What users pay to the platform itself is in both sides' books, and leaves no difference."""

from datetime import timedelta

import httpx

from adapters.stripe.billing import StripeBilling
from application.billing.disputes import cancel_subscription, hear_charge_dispute
from application.billing.payments import link_document
from application.billing.purchases import BillingPlace
from application.ledger.fees import record_processing_fee
from application.ports.payments import DisputeChanged
from domain.identity.actor import Actor
from domain.ledger.posting import Account
from domain.studio.plans import PlanName, SubscriptionStatus
from tests.application.billing.counter import Counter
from tests.application.reconciliation.conftest import SOON, Audit


class Played(Counter):
    """A counter at the sandbox, with the books of an audit."""

    def __init__(self, audit: Audit) -> None:
        super().__init__(audit.new_uow, audit.clock, audit.ids)
        self.audit = audit
        self.billing = StripeBilling(audit.world.api)  # type: ignore[assignment]

    async def press(self, url: str, **form: str) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, data=form)
        assert answer.status_code == 303, answer.text

    async def fee(self, charge_id: str) -> None:
        await record_processing_fee(
            charge_id,
            uow=self.new_uow(),
            payments=self.audit.world.payments,
            clock=self.clock,
        )

    async def contest(self, charge_id: str, outcome: str, *, heard: bool = True) -> None:
        """The bank decides against the platform, or for it, and we hear all that is told."""
        self.audit.sandbox.control(f"stripe/charges/{charge_id}/dispute", outcome=outcome)
        if not heard:
            return
        for said in await self.audit.world.told():
            if isinstance(said, DisputeChanged) and said.charge_id == charge_id:
                assert await hear_charge_dispute(
                    said, uow=self.new_uow(), clock=self.clock, ids=self.ids
                )

    async def charges(self) -> list[str]:
        rows = await self.audit.rows("SELECT id FROM platform_charges ORDER BY paid_at, id")
        return [str(row[0]) for row in rows]

    async def subscription_id(self, who: Actor) -> str:
        async with self.new_uow() as uow:
            (found,) = await uow.plan_subscriptions.standing(who.user_id)
        return found.provider_id


async def test_credits_and_plans_leave_no_difference(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    opened = await counter.order()
    await counter.press(f"{opened.url}/pay", card="4242424242424242")
    await counter.settle(opened.id)
    await counter.spend(200)
    refund = await counter.refund(opened.id)
    counter.provider.payments = audit.world.payments  # type: ignore[assignment]
    await counter.send(refund.id)

    page = await counter.subscribe()
    await counter.press(f"{page.url}/pay", card="4242424242424242")
    await counter.settle_page(page.id)
    first_day = audit.today
    provider_id = await counter.subscription_id(counter.ada)
    for charge_id in await counter.charges():
        await counter.fee(charge_id)
    audit.clock.advance(timedelta(days=31))
    await counter.refresh(provider_id)
    renewed = await counter.charges()
    assert len(renewed) == 3
    for charge_id in renewed:
        await counter.fee(charge_id)
    last_day = audit.today
    audit.clock.advance(SOON)

    assert await audit.compare(first_day) == {}
    assert await audit.compare(last_day) == {}
    rows = await audit.rows(
        "SELECT sum(amount_cents) FROM ledger_entries WHERE account = 'platform_revenue'"
    )
    assert rows[0][0] == 500 - 300 + 2 * 2_900


async def test_a_purchase_that_was_not_booked_is_found(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    opened = await counter.order()
    await counter.press(f"{opened.url}/pay", card="4242424242424242")
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"charge_not_booked", "fee_not_booked"}


async def test_a_disputed_purchase_and_a_disputed_plan_leave_no_difference(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    opened = await counter.order()
    await counter.press(f"{opened.url}/pay", card="4242424242424242")
    await counter.settle(opened.id)
    page = await counter.subscribe()
    await counter.press(f"{page.url}/pay", card="4242424242424242")
    await counter.settle_page(page.id)
    provider_id = await counter.subscription_id(counter.ada)
    credits_charge, plan_charge = await counter.charges()
    await counter.contest(credits_charge, "won")
    await counter.contest(plan_charge, "lost")
    for charge_id in (credits_charge, plan_charge):
        await counter.fee(charge_id)
    audit.clock.advance(SOON)

    assert await audit.compare() == {}
    assert (await counter.wallet()).bought == 500
    assert (await counter.view()).plan is PlanName.FREE
    for _ in range(2):
        await cancel_subscription(provider_id, billing=counter.billing)
    await counter.refresh(provider_id)
    async with counter.new_uow() as uow:
        assert await uow.plan_subscriptions.standing(counter.ada.user_id) == []


async def test_taxed_credits_and_plans_leave_no_difference(audit: Audit) -> None:
    counter = Played(audit)
    counter.billing = StripeBilling(audit.world.api, automatic_tax=True)  # type: ignore[assignment]
    counter.taxes.rates["DE"] = 1900
    await counter.opened()
    opened = await counter.order(place=BillingPlace(country="DE"))
    await counter.press(f"{opened.url}/pay", card="4242424242424242")
    await counter.settle(opened.id)
    page = await counter.subscribe()
    await counter.press(f"{page.url}/pay", card="4242424242424242", billing_country="DE")
    await counter.settle_page(page.id)
    charges = await counter.charges()
    for charge_id in charges:
        await counter.fee(charge_id)
    audit.clock.advance(SOON)
    assert await audit.compare() == {}
    booked = await counter.posted(f"credits:{charges[0]}", f"plan:{charges[1]}")
    assert booked == {
        Account.STRIPE_CLEARING: -595 - 3_451,
        Account.PLATFORM_REVENUE: 500 + 2_900,
        Account.TAX_PAYABLE: 95 + 551,
    }
    for charge_id in charges:
        link = await link_document(
            charge_id, actor=counter.ada, uow=counter.new_uow(), billing=counter.billing
        )
        assert link.url.startswith("http")


async def test_a_subscription_that_nobody_told_is_found_in_the_list(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    page = await counter.subscribe()
    await counter.press(f"{page.url}/pay", card="4242424242424242")
    await counter.compare()
    assert (await counter.view()).plan is PlanName.PRO
    assert len(await counter.charges()) == 1


async def test_a_dispute_that_was_never_told_is_found(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    opened = await counter.order()
    await counter.press(f"{opened.url}/pay", card="4242424242424242")
    await counter.settle(opened.id)
    (charge_id,) = await counter.charges()
    await counter.fee(charge_id)
    await counter.contest(charge_id, "lost", heard=False)
    audit.clock.advance(SOON)
    assert (await audit.compare()).keys() == {"dispute_not_booked"}


async def test_a_plan_that_is_not_paid_falls_due_and_recovers(audit: Audit) -> None:
    counter = Played(audit)
    await counter.opened()
    page = await counter.subscribe()
    await counter.press(f"{page.url}/pay", card="4242424242424242")
    await counter.settle_page(page.id)
    provider_id = await counter.subscription_id(counter.ada)
    state = await counter.billing.subscription(provider_id)
    assert state is not None
    portal = await counter.billing.portal(
        customer_id=state.customer_id, return_url="https://shop.example/a"
    )
    await counter.press(f"{portal}/card", card="4000000000000341")
    audit.clock.advance(timedelta(days=31))
    await counter.refresh(provider_id)
    view = await counter.view()
    assert view.status is SubscriptionStatus.PAST_DUE
    assert view.grace_ends is not None

    await counter.press(f"{portal}/card", card="4242424242424242")
    await counter.refresh(provider_id)
    view = await counter.view()
    assert (view.status, view.grace_ends) == (SubscriptionStatus.ACTIVE, None)
    booked = [f"plan:{charge_id}" for charge_id in await counter.charges()]
    assert (await counter.posted(*booked))[Account.PLATFORM_REVENUE] == 2 * 2_900
