"""Pay for work in the studio with credits, in the transaction that decides about the work.

The maximum price is held before the work starts and settled at what it used, or released when it
failed; each is done once for a round of a job, however often it is asked for. The day's grant is
given by whoever touches a wallet first that day. A sweep releases holds that nobody closed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.studio.credits import Hold, Wallet, day_of
from domain.studio.plans import Allowance, allowance_under
from domain.studio.prices import NEWEST_TABLE

HOLD_GRACE = timedelta(hours=24)
"""How long the hold of a job that has ended is left to whoever may still settle it."""


async def allowance_of(uow: UnitOfWork, user_id: UUID, at: datetime) -> Allowance:
    """What the user's plan allows at this moment."""
    return allowance_under(await uow.plan_subscriptions.standing(user_id), at)


async def reserve_credits(
    uow: UnitOfWork,
    *,
    user_id: UUID,
    job_id: UUID,
    round: int,
    credits: int,
    at: datetime,
    price_table: int = NEWEST_TABLE,
    allowed: Allowance | None = None,
) -> None:
    """Hold the maximum price of a round of a job; a job counts on the day of its first round.
    Raises CreditsExhausted."""
    wallet = await open_wallet(uow, user_id, at, allowed=allowed)
    if await uow.credits.hold(job_id, round) is not None:
        return
    hold = wallet.reserve(credits, job_id=job_id, round=round, at=at, price_table=price_table)
    uow.credits.add_hold(hold)
    await uow.credits.save(wallet)
    if round == 1:
        await uow.studio_use.count(user_id, day_of(at), jobs=1)


async def settle_credits(
    uow: UnitOfWork, *, job_id: UUID, round: int, credits: int, at: datetime
) -> None:
    """The round has cost so much: the rest of what was held goes back. Nothing held, nothing
    done."""
    found = await _held(uow, job_id, round)
    if found is None:
        return
    wallet, hold = found
    if hold.is_open:
        back = wallet.settle(hold, credits, at=at)
        await freeze_again(uow, wallet, back, since=hold.reserved_at, at=at)
        await uow.credits.save(wallet)
        if hold.spent:
            await uow.studio_use.count(hold.user_id, day_of(at), credits=hold.spent)


async def release_credits(uow: UnitOfWork, *, job_id: UUID, round: int, at: datetime) -> None:
    """The round has cost nothing: all that was held goes back."""
    found = await _held(uow, job_id, round)
    if found is None:
        return
    wallet, hold = found
    if hold.is_open:
        back = wallet.release(hold, at=at)
        await freeze_again(uow, wallet, back, since=hold.reserved_at, at=at)
        await uow.credits.save(wallet)


async def open_wallet(
    uow: UnitOfWork, user_id: UUID, at: datetime, *, allowed: Allowance | None = None
) -> Wallet:
    """The wallet, locked and saved, with the grant of this day in it; `allowed` is what the plan
    allows, for who has asked already."""
    wallet = await uow.credits.wallet(user_id)
    allowed = allowed or await allowance_of(uow, user_id, at)
    wallet.open_day(at, grant=allowed.daily_credits)
    await uow.credits.save(wallet)
    return wallet


async def freeze_again(
    uow: UnitOfWork, wallet: Wallet, credits: int, *, since: datetime, at: datetime
) -> None:
    """Bought credits are back that were away `since` then: disputes that were opened meanwhile
    have them frozen."""
    if not credits:
        return
    for freeze in await uow.credits.open_freezes(wallet.user_id):
        if freeze.opened_at >= since:
            credits -= freeze.catch(credits, wallet, at=at)


async def release_abandoned(
    *, new_uow: Callable[[], UnitOfWork], clock: Clock, limit: int = 100
) -> int:
    """Release what is still held for jobs that ended long ago."""
    now = clock.now()
    async with new_uow() as uow:
        found = await uow.credits.abandoned(ended_before=now - HOLD_GRACE, limit=limit)
    for job_id, round in found:
        async with new_uow() as uow:
            await release_credits(uow, job_id=job_id, round=round, at=now)
            await uow.commit()
    return len(found)


async def lapse_grants(*, new_uow: Callable[[], UnitOfWork], clock: Clock, limit: int = 500) -> int:
    """Let the grants of earlier days lapse in the wallets that nobody has touched since."""
    now = clock.now()
    async with new_uow() as uow:
        found = await uow.credits.lapsed(today=day_of(now), limit=limit)
    for user_id in found:
        async with new_uow() as uow:
            wallet = await uow.credits.wallet(user_id)
            wallet.lapse(now)
            await uow.credits.save(wallet)
            await uow.commit()
    return len(found)


async def _held(uow: UnitOfWork, job_id: UUID, round: int) -> tuple[Wallet, Hold] | None:
    """The hold, under the lock of its wallet."""
    hold = await uow.credits.hold(job_id, round)
    if hold is None:
        return None
    wallet = await uow.credits.wallet(hold.user_id)
    hold = await uow.credits.hold(job_id, round)
    return None if hold is None else (wallet, hold)
