"""Credits for money: once, however it is told, and back again."""

import asyncio
from datetime import timedelta

import pytest

from application.billing.purchases import PAGE_LIFE
from application.ports.errors import OutcomeUnknown
from application.ports.idempotency import KeyReused
from application.ports.payments import ProviderRefund
from domain.identity.actor import RoleRequired
from domain.ledger.posting import Account
from domain.studio.purchases import (
    ChargeRefundStatus,
    NothingToGiveBack,
    PackUnknown,
    PurchaseMismatch,
    PurchaseNotPaid,
    PurchaseStatus,
)
from tests.application.billing.counter import Counter


async def test_what_was_paid_is_there_once_and_booked_once(counter: Counter) -> None:
    opened = await counter.order()
    await counter.settle(opened.id)
    assert (await counter.wallet()).bought == 0

    await counter.pay(opened)
    for _ in range(3):
        await counter.settle(opened.id)

    assert (await counter.wallet()).bought == 500
    purchase = await counter.purchase(opened.id)
    assert purchase.status is PurchaseStatus.PAID
    assert await counter.posted(f"credits:{purchase.charge_id}") == {
        Account.STRIPE_CLEARING: -500,
        Account.PLATFORM_REVENUE: 500,
    }


async def test_told_twenty_times_at_once_it_is_bought_once(real_counter: Counter) -> None:
    opened = await real_counter.order()
    await real_counter.pay(opened)
    await asyncio.gather(*(real_counter.settle(opened.id) for _ in range(20)))
    assert (await real_counter.wallet()).bought == 500


async def test_the_same_request_is_the_same_page(counter: Counter) -> None:
    first = await counter.order()
    assert await counter.order() == first
    with pytest.raises(KeyReused):
        await counter.order("large")
    with pytest.raises(PackUnknown):
        await counter.order("endless")


async def test_a_lost_answer_leaves_one_page(counter: Counter) -> None:
    counter.provider.calls.fail("sell_credits", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await counter.order()
    counter.provider.calls.recover()
    await counter.order()
    assert len(counter.billing.pages) == 1


async def test_a_page_that_nobody_pays_expires(counter: Counter) -> None:
    opened = await counter.order()
    counter.clock.advance(PAGE_LIFE)
    assert await counter.sweep() == 1
    assert await counter.sweep() == 0
    await counter.settle(opened.id)
    assert (await counter.purchase(opened.id)).status is PurchaseStatus.EXPIRED
    with pytest.raises(PurchaseNotPaid):
        await counter.refund(opened.id)


async def test_money_that_does_not_fit_settles_nothing(counter: Counter) -> None:
    opened = await counter.order()
    await counter.pay(opened)
    page = counter.billing.pages[opened.url.rsplit("/", 1)[1]]
    assert page.paid is not None
    page.paid = type(page.paid)(charge_id="ch_other", amount_cents=499, currency="usd")
    with pytest.raises(PurchaseMismatch):
        await counter.settle(opened.id)
    assert (await counter.wallet()).bought == 0


async def test_the_fee_is_borne_by_the_platform(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    for _ in range(2):
        await counter.book_fee(purchase.charge_id)
    assert (await counter.posted(f"fee:{purchase.charge_id}"))[Account.PROCESSING_FEES] < 0


async def test_what_is_not_spent_is_given_back(counter: Counter) -> None:
    purchase = await counter.bought()
    await counter.spend(125)

    refund = await counter.refund(purchase.id)
    assert (refund.credits, refund.amount_cents) == (375, 375)
    assert (await counter.wallet()).balance == 0
    for _ in range(2):
        await counter.send(refund.id)

    assert await counter.posted(f"platform_refund:{refund.id}") == {
        Account.PLATFORM_REVENUE: -375,
        Account.STRIPE_CLEARING: 375,
    }
    with pytest.raises(NothingToGiveBack):
        await counter.refund(purchase.id)


async def test_all_of_it_costs_all_of_it_whatever_the_steps(counter: Counter) -> None:
    """A pack whose price does not divide: 2,200 credits for $20.00."""
    purchase = await counter.bought("medium")
    await counter.spend(733)
    first = await counter.refund(purchase.id)
    assert (first.credits, first.amount_cents) == (1467, 1333)
    await counter.bought("small", key="other")
    second = await counter.refund(purchase.id)
    assert (second.credits, second.amount_cents) == (500, 455)
    await counter.bought("small", key="third")
    third = await counter.refund(purchase.id)
    assert first.amount_cents + second.amount_cents + third.amount_cents == 2000
    with pytest.raises(NothingToGiveBack):
        await counter.refund(purchase.id)


async def test_a_refund_that_is_refused_brings_the_credits_back(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    refund = await counter.refund(purchase.id)
    said = ProviderRefund(
        provider_id="re_1", refund_id=refund.id, status="failed", amount_cents=500
    )
    for _ in range(2):
        assert await counter.hear(said, purchase.charge_id)
    assert (await counter.wallet()).bought == 500
    again = await counter.refund(purchase.id)
    assert again.amount_cents == 500


async def test_a_refund_that_comes_back_is_owed(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    refund = await counter.refund(purchase.id)
    await counter.send(refund.id)
    made = await counter.provider.payments.find_refund(
        refund_id=refund.id, charge_id=purchase.charge_id
    )
    assert made is not None
    failed = ProviderRefund(
        provider_id=made.provider_id, refund_id=refund.id, status="failed", amount_cents=500
    )
    for _ in range(2):
        assert await counter.hear(failed, purchase.charge_id)
    assert await counter.posted(f"platform_refund_returned:{refund.id}") == {
        Account.STRIPE_CLEARING: -500,
        Account.REFUNDS_RETURNED: 500,
    }
    assert (await counter.wallet()).bought == 0


async def test_a_refund_made_by_hand_is_adopted_once(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    await counter.spend(400)
    said = ProviderRefund(
        provider_id="re_hand", refund_id=None, status="succeeded", amount_cents=300
    )
    for _ in range(3):
        assert await counter.hear(said, purchase.charge_id)
    kept = await counter.purchase(purchase.id)
    assert (kept.taken_back, kept.refunded_cents) == (100, 300)
    assert (await counter.wallet()).bought == 0
    async with counter.new_uow() as uow:
        adopted = await uow.charge_refunds.by_provider_id("re_hand")
    assert adopted is not None
    assert adopted.status is ChargeRefundStatus.SUCCEEDED
    assert (await counter.posted(f"platform_refund:{adopted.id}"))[Account.STRIPE_CLEARING] == 300


async def test_refunds_of_other_charges_are_none_of_these(counter: Counter) -> None:
    said = ProviderRefund(provider_id="re_1", refund_id=None, status="succeeded", amount_cents=1)
    assert not await counter.hear(said, "ch_of_an_order")


async def test_only_administrators_give_back(counter: Counter) -> None:
    purchase = await counter.bought()
    with pytest.raises(RoleRequired):
        await counter.refund(purchase.id, by=counter.ada)


async def test_two_refunds_at_once_take_the_credits_once(real_counter: Counter) -> None:
    purchase = await real_counter.bought()
    found = await asyncio.gather(
        *(real_counter.refund(purchase.id) for _ in range(8)), return_exceptions=True
    )
    given = [one for one in found if not isinstance(one, BaseException)]
    assert [one.credits for one in given] == [500]
    assert all(isinstance(one, NothingToGiveBack) for one in found if one not in given)


async def test_a_grant_does_not_hide_what_is_bought(counter: Counter) -> None:
    await counter.bought()
    counter.clock.advance(timedelta(days=40))
    assert (await counter.wallet()).bought == 500
