"""Plans: one subscription, told in any order, had as long as it counts, and booked once."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.billing.customers import KEY_LIVES
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.repository import StaleVersion
from application.studio.credits import open_wallet
from domain.ledger.posting import Account
from domain.studio.plans import GRACE, OFFERED, Interval, PlanName, SubscriptionStatus
from domain.studio.subscribing import AlreadySubscribed, CheckoutPending, PlanNotSold
from tests.application.billing.counter import Counter, in_memory
from tests.builders import actor

PRO = OFFERED[PlanName.PRO]
FREE = OFFERED[PlanName.FREE]


async def test_who_has_paid_has_the_plan_and_the_money_is_booked(counter: Counter) -> None:
    assert (await counter.view()).plan is PlanName.FREE
    provider_id = await counter.subscribed()
    for _ in range(3):
        await counter.refresh(provider_id)

    view = await counter.view()
    assert (view.plan, view.status, view.interval) == (
        PlanName.PRO,
        SubscriptionStatus.ACTIVE,
        Interval.MONTH,
    )
    assert view.daily_credits == PRO.daily_credits
    (charge,) = counter.billing.charged
    assert await counter.posted(f"plan:{charge.charge_id}") == {
        Account.STRIPE_CLEARING: -2_900,
        Account.PLATFORM_REVENUE: 2_900,
    }
    await counter.book_fee(charge.charge_id)


async def test_a_better_plan_is_felt_at_once(counter: Counter) -> None:
    async def granted() -> int:
        async with counter.new_uow() as uow:
            wallet = await open_wallet(uow, counter.ada.user_id, counter.now)
            await uow.commit()
        return wallet.daily

    assert await granted() == FREE.daily_credits
    provider_id = await counter.subscribed()
    assert await granted() == PRO.daily_credits
    counter.billing.change(provider_id, status=SubscriptionStatus.CANCELED)
    await counter.refresh(provider_id)
    assert await granted() == PRO.daily_credits
    counter.clock.advance(timedelta(days=1))
    assert await granted() == FREE.daily_credits


async def test_each_renewal_is_booked_once(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    for _ in range(3):
        counter.clock.advance(timedelta(days=30))
        counter.billing.renew(provider_id, amount_cents=2_900)
        await counter.refresh(provider_id)
        await counter.refresh(provider_id)
    keys = [f"plan:{charge.charge_id}" for charge in counter.billing.charged]
    assert len(keys) == 4
    assert (await counter.posted(*keys))[Account.PLATFORM_REVENUE] == 4 * 2_900


async def test_what_is_past_due_is_had_for_a_week(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    counter.clock.advance(timedelta(days=30))
    counter.billing.renew(provider_id, amount_cents=2_900, paid=False)
    await counter.refresh(provider_id)
    since = counter.now
    counter.clock.advance(timedelta(days=2))
    await counter.refresh(provider_id)

    view = await counter.view()
    assert (view.plan, view.grace_ends) == (PlanName.PRO, since + GRACE)
    counter.clock.advance(GRACE)
    assert (await counter.view()).plan is PlanName.FREE
    counter.billing.change(provider_id, status=SubscriptionStatus.ACTIVE)
    await counter.refresh(provider_id)
    view = await counter.view()
    assert (view.plan, view.grace_ends) == (PlanName.PRO, None)


async def test_a_cancelled_plan_is_had_until_its_period_ends(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    counter.billing.change(provider_id, cancel_at_period_end=True)
    await counter.refresh(provider_id)
    view = await counter.view()
    assert (view.plan, view.cancel_at_period_end) == (PlanName.PRO, True)
    counter.billing.change(provider_id, status=SubscriptionStatus.CANCELED)
    await counter.refresh(provider_id)
    view = await counter.view()
    assert (view.plan, view.status) == (PlanName.FREE, None)


async def test_lost_events_are_made_up_for_by_asking(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    counter.billing.change(provider_id, plan=PlanName.ENTERPRISE)
    assert await counter.sweep() == 0
    counter.clock.advance(timedelta(days=1))
    assert await counter.sweep() == 1
    assert await counter.sweep() == 0
    await counter.refresh(provider_id)
    assert (await counter.view()).plan is PlanName.ENTERPRISE


async def test_nobody_subscribes_twice(counter: Counter) -> None:
    await counter.subscribed()
    with pytest.raises(AlreadySubscribed):
        await counter.subscribe(PlanName.ENTERPRISE, key="other")
    with pytest.raises(PlanNotSold):
        await counter.subscribe(PlanName.FREE)


async def test_another_wish_closes_the_page_before(counter: Counter) -> None:
    first = await counter.subscribe()
    assert await counter.subscribe() == first
    second = await counter.subscribe(PlanName.ENTERPRISE, key="other")
    assert second.url != first.url
    with pytest.raises(ValueError, match="expired"):
        await counter.pay(first)


async def test_a_page_that_was_paid_at_that_moment_is_not_passed_by(counter: Counter) -> None:
    first = await counter.subscribe()
    await counter.pay(first)
    with pytest.raises(CheckoutPending):
        await counter.subscribe(PlanName.ENTERPRISE, key="other")
    await counter.settle_page(first.id)
    assert (await counter.view()).plan is PlanName.PRO


async def test_a_page_that_nobody_pays_is_closed(counter: Counter) -> None:
    opened = await counter.subscribe()
    counter.clock.advance(timedelta(hours=2))
    assert await counter.sweep() == 1
    await counter.settle_page(opened.id)
    await counter.subscribe(key="later")


async def test_asked_by_many_at_once_a_user_is_one_customer(real_counter: Counter) -> None:
    await asyncio.gather(
        *(real_counter.order(key=str(number)) for number in range(20)),
    )
    assert len(real_counter.billing.customers) == 1
    made = {page.request.customer_id for page in real_counter.billing.pages.values()}
    assert len(made) == 1


async def test_wishes_at_once_open_one_page(real_counter: Counter) -> None:
    found = await asyncio.gather(
        *(real_counter.subscribe(key="same") for _ in range(8)), return_exceptions=True
    )
    opened = {one.url for one in found if not isinstance(one, BaseException)}
    assert len(opened) == 1
    assert all(isinstance(o, CheckoutPending) for o in found if isinstance(o, BaseException))


async def test_a_customer_whose_answer_was_lost_long_ago_is_found(counter: Counter) -> None:
    counter.provider.calls.fail("open_customer", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await counter.order()
    counter.provider.calls.recover()
    counter.clock.advance(KEY_LIVES * 2)
    await counter.order()
    assert counter.billing.made == 2  # one customer, one page


async def test_what_belongs_to_nobody_here_is_left(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    counter.billing.change(provider_id, customer_id="cus_of_another_shop")
    counter.billing.subscriptions["sub_other"] = counter.billing.subscriptions[provider_id]
    await counter.refresh("sub_other")
    async with counter.new_uow() as uow:
        assert await uow.plan_subscriptions.by_provider_id("sub_other") is None


async def test_of_two_who_ask_at_once_one_asks_again(real_counter: Counter) -> None:
    provider_id = await real_counter.subscribed()
    found = await asyncio.gather(
        *(real_counter.refresh(provider_id) for _ in range(6)), return_exceptions=True
    )
    assert None in found
    assert all(one is None or isinstance(one, StaleVersion) for one in found)


async def test_a_provider_that_is_away_changes_nothing(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    counter.provider.calls.fail("subscription", "unavailable")
    with pytest.raises(Unavailable):
        await counter.refresh(provider_id)
    assert (await counter.view()).plan is PlanName.PRO


CHANGES = st.lists(
    st.sampled_from(["renew", "miss", "recover", "upgrade", "cancel", "resume", "end"]),
    max_size=8,
)
TOLD = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3)), max_size=10)


@given(changes=CHANGES, told=TOLD)
def test_whenever_and_however_often_it_is_told_the_end_is_the_same(
    changes: list[str], told: list[tuple[int, int]]
) -> None:
    """Events only say that something changed: whichever arrive, in whatever order and number, the
    last one leaves the provider's state, and every paid invoice booked once."""

    async def played() -> None:
        counter = await in_memory().opened()
        provider_id = await counter.subscribed()
        heard = dict(told)
        for number, change in enumerate(changes):
            _happen(counter, provider_id, change)
            counter.clock.advance(timedelta(hours=7))
            for _ in range(heard.get(number, 0)):
                await counter.refresh(provider_id)
        await counter.refresh(provider_id)

        state = counter.billing.subscriptions[provider_id]
        async with counter.new_uow() as uow:
            kept = await uow.plan_subscriptions.by_provider_id(provider_id)
        assert kept is not None
        assert (kept.status, kept.plan, kept.period_end) == (
            state.status,
            state.plan,
            state.period_end,
        )
        keys = [f"plan:{charge.charge_id}" for charge in counter.billing.charged]
        paid = sum(charge.amount_cents for charge in counter.billing.charged)
        assert (await counter.posted(*keys))[Account.STRIPE_CLEARING] == -paid

    asyncio.run(played())


def _happen(counter: Counter, provider_id: str, change: str) -> None:
    billing = counter.billing
    match change:
        case "renew":
            billing.renew(provider_id, amount_cents=2_900)
        case "miss":
            billing.renew(provider_id, amount_cents=2_900, paid=False)
        case "recover":
            billing.change(provider_id, status=SubscriptionStatus.ACTIVE)
        case "upgrade":
            billing.change(provider_id, plan=PlanName.ENTERPRISE)
        case "cancel":
            billing.change(provider_id, cancel_at_period_end=True)
        case "resume":
            billing.change(provider_id, cancel_at_period_end=False)
        case "end":
            billing.change(provider_id, status=SubscriptionStatus.CANCELED)


async def test_another_user_is_another_customer(counter: Counter) -> None:
    grace = actor()
    await counter.greet(grace)
    await counter.subscribe()
    await counter.subscribe(who=grace)
    assert len(counter.billing.customers) == 2


async def test_a_night_mends_what_webhooks_did_not_tell(counter: Counter) -> None:
    opened = await counter.subscribe()
    await counter.pay(opened)  # nobody tells us, and nobody asks about the page
    (provider_id,) = counter.billing.subscriptions
    assert (await counter.view()).plan is PlanName.FREE
    await counter.compare()
    assert (await counter.view()).plan is PlanName.PRO
    assert (await counter.posted(f"plan:{counter.billing.charged[0].charge_id}"))[
        Account.PLATFORM_REVENUE
    ] == 2_900

    await counter.settle_page(opened.id)
    counter.billing.change(provider_id, plan=PlanName.ENTERPRISE)
    await counter.compare()
    assert (await counter.view()).plan is PlanName.ENTERPRISE
    counter.billing.renew(provider_id, amount_cents=29_900, paid=False)
    await counter.compare()
    assert (await counter.view()).grace_ends is not None
    counter.billing.change(provider_id, status=SubscriptionStatus.CANCELED)
    await counter.compare()
    assert (await counter.view()).plan is PlanName.FREE

    second = await counter.subscribe(key="again")
    await counter.pay(second)
    counter.billing.change(next(reversed(counter.billing.subscriptions)), cancel_at_period_end=True)
    await counter.compare()
    view = await counter.view()
    assert (view.plan, view.cancel_at_period_end) == (PlanName.PRO, True)
