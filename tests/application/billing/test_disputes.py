"""Money of credits and plans that a bank takes back: booked once, and credits that follow it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from application.billing.disputes import (
    cancel_subscription,
    hear_charge_dispute,
)
from application.studio.credits import release_credits, reserve_credits, settle_credits
from domain.ledger.posting import Account
from domain.shared.disputes import DisputeContradiction
from domain.studio.contested import ChargeContested
from domain.studio.credits import CreditsExhausted
from domain.studio.plans import PlanName, SubscriptionStatus
from domain.studio.purchases import CreditPurchase, NothingToGiveBack
from tests.application.billing.counter import Counter

FEE = 1500


async def hear(counter: Counter, dispute_id: str, *, times: int = 2) -> None:
    said = counter.provider.payments.dispute_said(dispute_id)
    for _ in range(times):
        assert await hear_charge_dispute(
            said, uow=counter.new_uow(), clock=counter.clock, ids=counter.ids
        )


async def contested(
    counter: Counter, purchase: CreditPurchase, *, amount_cents: int | None = None
) -> str:
    """The bank withdraws, and we hear of it."""
    assert purchase.charge_id is not None
    dispute_id = counter.provider.payments.dispute(purchase.charge_id, amount_cents=amount_cents)
    await hear(counter, dispute_id)
    return dispute_id


async def state(counter: Counter) -> tuple[int, int, int]:
    wallet = await counter.wallet()
    return wallet.bought, wallet.held, wallet.frozen


async def effects_of(counter: Counter, provider_id: str) -> dict[Account, int]:
    """What all effects of a dispute come to."""
    sums: dict[Account, int] = {}
    async with counter.new_uow() as uow:
        dispute = await uow.charge_disputes.by_provider_id(provider_id)
        assert dispute is not None
        for step in ("opened", "won", "lost"):
            found = await uow.ledger.find(f"dispute:{dispute.id}:{step}")
            for entry in found.entries if found else ():
                sums[entry.account] = sums.get(entry.account, 0) + entry.amount_cents
    return sums


async def test_contested_credits_lie_still_and_come_back_when_it_is_won(counter: Counter) -> None:
    purchase = await counter.bought()
    await counter.spend(200)
    dispute_id = await contested(counter, purchase)
    assert await state(counter) == (0, 0, 300)
    assert await effects_of(counter, dispute_id) == {
        Account.PLATFORM_REVENUE: -500,
        Account.DISPUTE_LOSSES: -FEE,
        Account.STRIPE_CLEARING: 500 + FEE,
    }
    with pytest.raises(CreditsExhausted):
        await counter.spend(1)

    counter.provider.payments.decide(dispute_id, "won")
    await hear(counter, dispute_id)
    assert await state(counter) == (300, 0, 0)
    booked = await effects_of(counter, dispute_id)
    assert booked[Account.PLATFORM_REVENUE] == 0
    assert booked[Account.DISPUTE_LOSSES] == -FEE


async def test_lost_credits_are_gone_and_spent_ones_are_no_debt(counter: Counter) -> None:
    purchase = await counter.bought()
    await counter.spend(200)
    dispute_id = await contested(counter, purchase)
    counter.provider.payments.decide(dispute_id, "lost")
    await hear(counter, dispute_id)

    assert await state(counter) == (0, 0, 0)
    async with counter.new_uow() as uow:
        dispute = await uow.charge_disputes.by_provider_id(dispute_id)
    assert dispute is not None
    assert (dispute.written_off, dispute.is_open) == (200, False)
    kept = await counter.purchase(purchase.id)
    assert (kept.lost_credits, kept.lost_cents, kept.refundable_credits) == (500, 500, 0)
    with pytest.raises(NothingToGiveBack):
        await counter.refund(purchase.id)
    again = await counter.bought(key="again")
    assert (await state(counter))[0] == again.credits


async def test_the_last_word_alone_leaves_the_same(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    dispute_id = counter.provider.payments.dispute(purchase.charge_id)
    counter.provider.payments.decide(dispute_id, "lost")
    await hear(counter, dispute_id)
    assert await state(counter) == (0, 0, 0)
    assert (await effects_of(counter, dispute_id))[Account.PLATFORM_REVENUE] == -500


async def test_what_work_held_is_frozen_when_it_comes_back(counter: Counter) -> None:
    purchase = await counter.bought()
    job_id, later = uuid4(), uuid4()
    async with counter.new_uow() as uow:
        wallet = await uow.credits.wallet(counter.ada.user_id)
        hold = wallet.reserve(450, job_id=job_id, round=1, at=counter.now)
        uow.credits.add_hold(hold)
        await uow.credits.save(wallet)
        await uow.commit()
    counter.clock.advance(timedelta(seconds=1))
    dispute_id = await contested(counter, purchase)
    assert await state(counter) == (0, 450, 50)

    await counter.bought(key="clean")  # is none of the disputed ones
    async with counter.new_uow() as uow:
        wallet = await uow.credits.wallet(counter.ada.user_id)
        wallet.open_day(counter.now, grant=0)
        await uow.credits.save(wallet)
        await uow.commit()
    counter.clock.advance(timedelta(seconds=1))
    async with counter.new_uow() as uow:
        await reserve_credits(
            uow,
            user_id=counter.ada.user_id,
            job_id=later,
            round=1,
            credits=400,
            at=counter.now,
        )
        await uow.commit()
    async with counter.new_uow() as uow:
        await release_credits(uow, job_id=later, round=1, at=counter.now)
        await uow.commit()
    assert (await state(counter))[1:] == (450, 50)

    async with counter.new_uow() as uow:
        await settle_credits(uow, job_id=job_id, round=1, credits=150, at=counter.now)
        await uow.commit()
    assert (await state(counter))[1:] == (0, 350)
    counter.provider.payments.decide(dispute_id, "lost")
    await hear(counter, dispute_id)
    assert (await state(counter))[1:] == (0, 0)


async def test_nothing_is_given_back_while_a_bank_holds_money(counter: Counter) -> None:
    purchase = await counter.bought()
    dispute_id = await contested(counter, purchase, amount_cents=200)
    assert await state(counter) == (300, 0, 200)
    with pytest.raises(ChargeContested):
        await counter.refund(purchase.id)
    counter.provider.payments.decide(dispute_id, "lost")
    await hear(counter, dispute_id)
    refund = await counter.refund(purchase.id)
    assert (refund.amount_cents, refund.credits) == (300, 300)
    await counter.send(refund.id)
    assert await state(counter) == (0, 0, 0)
    booked = await counter.posted(f"credits:{purchase.charge_id}", f"platform_refund:{refund.id}")
    disputed = await effects_of(counter, dispute_id)
    assert booked[Account.PLATFORM_REVENUE] + disputed[Account.PLATFORM_REVENUE] == 0


async def test_a_refund_that_the_dispute_overtook_returns_no_credits(counter: Counter) -> None:
    purchase = await counter.bought()
    await counter.spend(100)
    refund = await counter.refund(purchase.id)
    counter.clock.advance(timedelta(seconds=1))
    await contested(counter, purchase)
    await counter.send(refund.id)  # refused: the charge is disputed
    assert await state(counter) == (0, 0, 400)


async def test_a_lost_plan_is_the_free_one_and_is_cancelled(counter: Counter) -> None:
    provider_id = await counter.subscribed()
    charge_id = counter.billing.charged[0].charge_id
    dispute_id = counter.provider.payments.dispute(charge_id)
    await hear(counter, dispute_id)
    assert (await counter.view()).plan is PlanName.PRO

    counter.provider.payments.decide(dispute_id, "lost")
    await hear(counter, dispute_id)
    assert (await counter.view()).plan is PlanName.FREE
    await counter.refresh(provider_id)
    assert (await counter.view()).plan is PlanName.FREE
    for _ in range(2):
        await cancel_subscription(provider_id, billing=counter.billing)
    await counter.refresh(provider_id)
    state_there = await counter.billing.subscription(provider_id)
    assert state_there is not None
    assert state_there.status is SubscriptionStatus.CANCELED
    assert (await effects_of(counter, dispute_id))[Account.PLATFORM_REVENUE] == -2_900


async def test_what_contradicts_itself_or_is_unknown_books_nothing(counter: Counter) -> None:
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    dispute_id = counter.provider.payments.dispute(purchase.charge_id)
    said = counter.provider.payments.dispute_said(dispute_id)
    for changed in ({"currency": "eur"}, {"charge_id": "ch_other"}):
        other = type(said)(**{**{n: getattr(said, n) for n in said.__struct_fields__}, **changed})
        async with counter.new_uow() as uow:
            assert await uow.charge_disputes.by_provider_id(dispute_id) is None
        if "charge_id" in changed:
            assert not await hear_charge_dispute(
                other, uow=counter.new_uow(), clock=counter.clock, ids=counter.ids
            )
        else:
            with pytest.raises(DisputeContradiction):
                await hear_charge_dispute(
                    other, uow=counter.new_uow(), clock=counter.clock, ids=counter.ids
                )
    assert await state(counter) == (500, 0, 0)


async def test_told_at_once_while_credits_are_spent_it_is_booked_once(
    real_counter: Counter,
) -> None:
    """Whoever comes first: what was spent stays spent, the rest lies still."""
    counter = real_counter
    purchase = await counter.bought()
    assert purchase.charge_id is not None
    dispute_id = counter.provider.payments.dispute(purchase.charge_id)

    async def spend() -> int:
        try:
            await counter.spend(60)
        except CreditsExhausted:
            return 0
        return 60

    done = await asyncio.gather(
        *(hear(counter, dispute_id, times=1) for _ in range(10)), *(spend() for _ in range(10))
    )
    spent = sum(one or 0 for one in done)
    assert await state(counter) == (0, 0, 500 - spent)
    booked = await effects_of(counter, dispute_id)
    assert booked[Account.PLATFORM_REVENUE] == -500
