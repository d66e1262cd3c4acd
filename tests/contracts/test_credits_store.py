"""What every store of credits promises, and what rests on PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.system import ManualClock
from application.ports.repository import StaleVersion
from application.studio.credits import (
    HOLD_GRACE,
    allowance_of,
    lapse_grants,
    open_wallet,
    release_abandoned,
    release_credits,
    reserve_credits,
    settle_credits,
)
from domain.studio.credits import CreditsExhausted, Wallet
from domain.studio.job import Job
from domain.studio.pipelines import JobKind
from domain.studio.plans import OFFERED, PlanName, SubscriptionStatus
from tests.builders import NOON
from tests.contracts.units_of_work import NewUnitOfWork
from tests.domain.studio.test_prices_and_plans import subscription

GRANT = OFFERED[PlanName.FREE].daily_credits
USER = UUID(int=7)


async def reserve(new_uow: NewUnitOfWork, credits: int, *, job_id: UUID | None = None) -> UUID:
    job_id = job_id or uuid4()
    async with new_uow() as uow:
        await reserve_credits(uow, user_id=USER, job_id=job_id, round=1, credits=credits, at=NOON)
        await uow.commit()
    return job_id


async def wallet_of(new_uow: NewUnitOfWork) -> Wallet:
    async with new_uow() as uow:
        return await uow.credits.wallet(USER)


async def state_of(new_uow: NewUnitOfWork) -> tuple[int, int, int]:
    wallet = await wallet_of(new_uow)
    return wallet.daily, wallet.bought, wallet.held


async def test_who_comes_first_on_a_day_gets_its_grant(new_uow: NewUnitOfWork) -> None:
    assert await state_of(new_uow) == (0, 0, 0)
    await reserve(new_uow, 30)
    assert await state_of(new_uow) == (GRANT - 30, 0, 30)


async def test_each_step_happens_once_for_a_round(new_uow: NewUnitOfWork) -> None:
    job = await reserve(new_uow, 30)
    await reserve(new_uow, 30, job_id=job)
    for _ in range(2):
        async with new_uow() as uow:
            await settle_credits(uow, job_id=job, round=1, credits=20, at=NOON)
            await settle_credits(uow, job_id=job, round=1, credits=20, at=NOON)
            await release_credits(uow, job_id=job, round=1, at=NOON)
            await uow.commit()
    assert await state_of(new_uow) == (GRANT - 20, 0, 0)


async def test_what_is_not_committed_has_not_happened(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        await reserve_credits(uow, user_id=USER, job_id=uuid4(), round=1, credits=9, at=NOON)
    assert await state_of(new_uow) == (0, 0, 0)


async def test_a_refusal_leaves_the_wallet_alone(new_uow: NewUnitOfWork) -> None:
    await reserve(new_uow, GRANT - 1)
    with pytest.raises(CreditsExhausted):
        await reserve(new_uow, 2)
    assert await state_of(new_uow) == (1, 0, GRANT - 1)


async def test_nothing_is_done_where_nothing_is_held(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        await settle_credits(uow, job_id=uuid4(), round=1, credits=9, at=NOON)
        await release_credits(uow, job_id=uuid4(), round=1, at=NOON)
        await uow.commit()
    assert await state_of(new_uow) == (0, 0, 0)


async def test_a_wallet_that_moved_meanwhile_is_not_overwritten(new_uow: NewUnitOfWork) -> None:
    await reserve(new_uow, 1)
    stale = await wallet_of(new_uow)
    await reserve(new_uow, 1)
    stale.buy(5, purchase_id=uuid4(), at=NOON)
    with pytest.raises(StaleVersion):
        async with new_uow() as uow:
            await uow.credits.save(stale)
            await uow.commit()
    assert await state_of(new_uow) == (GRANT - 2, 0, 2)


async def test_a_subscription_that_counts_decides_what_is_allowed(new_uow: NewUnitOfWork) -> None:
    pro = subscription(SubscriptionStatus.ACTIVE)
    async with new_uow() as uow:
        uow.plan_subscriptions.add(pro)
        uow.plan_subscriptions.add(subscription(SubscriptionStatus.CANCELED))
        await uow.commit()
    async with new_uow() as uow:
        assert (await allowance_of(uow, pro.user_id, NOON)).plan is PlanName.PRO
        assert (await allowance_of(uow, USER, NOON)).plan is PlanName.FREE
        found = await uow.plan_subscriptions.standing(pro.user_id)
        assert [one.id for one in found] == [pro.id]
        wallet = await open_wallet(uow, pro.user_id, NOON)
        assert wallet.daily == OFFERED[PlanName.PRO].daily_credits


async def test_holds_of_ended_and_missing_jobs_are_released(new_uow: NewUnitOfWork) -> None:
    ended = Job.accepted(job_id=uuid4(), kind=JobKind.TRAINING, owner_id=USER, at=NOON)
    ended.cancel(at=NOON)
    running = Job.accepted(job_id=uuid4(), kind=JobKind.TRAINING, owner_id=USER, at=NOON)
    async with new_uow() as uow:
        uow.jobs.add(ended)
        uow.jobs.add(running)
        await uow.commit()
    for job_id in (ended.id, running.id, uuid4()):
        await reserve(new_uow, 10, job_id=job_id)
    assert await release_abandoned(new_uow=new_uow, clock=ManualClock(NOON + HOLD_GRACE)) == 0
    later = ManualClock(NOON + HOLD_GRACE + timedelta(seconds=1))
    assert await release_abandoned(new_uow=new_uow, clock=later) == 2
    assert await release_abandoned(new_uow=new_uow, clock=later) == 0
    assert (await wallet_of(new_uow)).held == 10


async def test_grants_that_nobody_used_lapse(new_uow: NewUnitOfWork) -> None:
    await reserve(new_uow, 10)
    assert await lapse_grants(new_uow=new_uow, clock=ManualClock(NOON)) == 0
    tomorrow = ManualClock(NOON + timedelta(days=1))
    assert await lapse_grants(new_uow=new_uow, clock=tomorrow) == 1
    assert await lapse_grants(new_uow=new_uow, clock=tomorrow) == 0
    assert await state_of(new_uow) == (0, 0, 10)


async def _at_once(count: int, start: Callable[[], Awaitable[object]]) -> list[object]:
    started = (start() for _ in range(count))
    return list(await asyncio.gather(*started, return_exceptions=True))


async def test_of_two_hundred_with_credit_for_ten_ten_start(postgres_uow: NewUnitOfWork) -> None:
    each = GRANT // 10
    results = await _at_once(200, lambda: reserve(postgres_uow, each))
    started = [one for one in results if isinstance(one, UUID)]
    refused = [one for one in results if isinstance(one, CreditsExhausted)]
    assert (len(started), len(refused)) == (10, 190)
    assert await state_of(postgres_uow) == (0, 0, GRANT)


async def test_a_hundred_at_once_are_granted_one_day_once(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    async def touch() -> int:
        async with postgres_uow() as uow:
            wallet = await open_wallet(uow, USER, NOON)
            await uow.commit()
        return wallet.balance

    assert set(await _at_once(100, touch)) == {GRANT}
    async with sessions() as session:
        rows = await session.execute(sql("SELECT kind, daily FROM credit_entries"))
        assert [tuple(row) for row in rows] == [("grant", GRANT)]


def _entry(changes: str) -> str:
    return (
        f"INSERT INTO credit_entries SELECT user_id, {changes} FROM credit_entries"
        " ORDER BY number DESC LIMIT 1"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credit_entries SET at = now()",
        "DELETE FROM credit_entries",
        "UPDATE credit_wallets SET daily = daily + 1",
        "UPDATE credit_wallets SET bought = -1",
        "UPDATE credit_holds SET spent = 99, closed_at = now()",
        _entry("number + 1, 'adjust', at, 0, 5, 0, 0, 0, daily_after, 6, held_after"),
        _entry("number + 2, 'adjust', at, 0, 5, 0, 0, 0, daily_after, 5, held_after"),
        _entry("number + 1, 'adjust', at, 0, 5, 0, 1, 0, daily_after, 5, held_after"),
        _entry("number + 1, 'adjust', at, 0, -5, 0, 0, 0, daily_after, -5, held_after"),
    ],
)
async def test_the_database_refuses_what_no_rule_allows(
    statement: str, postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    await reserve(postgres_uow, 10)
    with pytest.raises(IntegrityError, match=r"credit|wallet"):
        async with sessions.begin() as session:
            await session.execute(sql(statement))
