"""Wallets against a dictionary: any life of credits leaves both with the same, and never below
zero; doing a step again does nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from adapters.memory.system import ManualClock
from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import (
    lapse_grants,
    open_wallet,
    release_credits,
    reserve_credits,
    settle_credits,
)
from domain.studio.credits import CreditEntry, CreditsExhausted, Wallet, day_of
from domain.studio.plans import OFFERED, PlanName
from tests.builders import NOON

T = TypeVar("T")
GRANT = OFFERED[PlanName.FREE].daily_credits
CREDITS = st.integers(0, 160)
Entries = Callable[[UUID], Awaitable[Sequence[CreditEntry]]]


class WalletModel(RuleBasedStateMachine):
    """`new_uow` and `entries` are given by the test, for the store that it is about."""

    new_uow: Callable[[], UnitOfWork]
    entries: Entries
    jobs = Bundle("jobs")
    purchases = Bundle("purchases")

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock(NOON)
        self.user_id = uuid4()
        self.daily = self.bought = 0
        self.day: date | None = None
        self.holds: dict[UUID, tuple[date | None, int, int]] = {}
        self.left: dict[UUID, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    def wait(self, doing: Awaitable[T]) -> T:
        return self.loop.run_until_complete(doing)

    @property
    def today(self) -> date:
        return day_of(self.clock.now())

    def lapse(self) -> None:
        if self.day != self.today:
            self.daily = 0

    def touch(self) -> None:
        """Whoever touches a wallet first on a day brings its grant."""
        self.lapse()
        if self.day != self.today:
            self.day, self.daily = self.today, GRANT

    async def twice(self, step: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        for _ in range(2):
            async with type(self).new_uow() as uow:
                await step(uow)
                await uow.commit()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @rule()
    def look(self) -> None:
        async def step(uow: UnitOfWork) -> None:
            await open_wallet(uow, self.user_id, self.clock.now())

        self.wait(self.twice(step))
        self.touch()

    @rule()
    def sweep(self) -> None:
        for _ in range(2):
            self.wait(lapse_grants(new_uow=type(self).new_uow, clock=self.clock))
        self.lapse()

    @rule(target=jobs, credits=CREDITS)
    def reserve(self, credits: int) -> UUID:
        job_id = uuid4()

        async def step(uow: UnitOfWork) -> None:
            await reserve_credits(
                uow,
                user_id=self.user_id,
                job_id=job_id,
                round=1,
                credits=credits,
                at=self.clock.now(),
            )

        before = (self.day, self.daily)
        self.touch()
        enough = credits <= self.daily + self.bought
        try:
            self.wait(self.twice(step))
        except CreditsExhausted:
            assert not enough
            self.day, self.daily = before
            return job_id
        assert enough
        daily = min(credits, self.daily)
        self.daily -= daily
        self.bought -= credits - daily
        self.holds[job_id] = (self.day, daily, credits - daily)
        return job_id

    @rule(job_id=jobs, credits=CREDITS)
    def settle(self, job_id: UUID, credits: int) -> None:
        async def step(uow: UnitOfWork) -> None:
            at = self.clock.now()
            await settle_credits(uow, job_id=job_id, round=1, credits=credits, at=at)

        self.wait(self.twice(step))
        self.close(job_id, credits)

    @rule(job_id=jobs)
    def release(self, job_id: UUID) -> None:
        async def step(uow: UnitOfWork) -> None:
            await release_credits(uow, job_id=job_id, round=1, at=self.clock.now())

        self.wait(self.twice(step))
        self.close(job_id, 0)

    def close(self, job_id: UUID, credits: int) -> None:
        if job_id not in self.holds:
            return
        self.lapse()
        day, daily, bought = self.holds.pop(job_id)
        cost = min(credits, daily + bought)
        unused = max(0, daily - cost)
        self.bought += daily + bought - cost - unused
        if day == self.today == self.day:
            self.daily += unused

    @rule(target=purchases, credits=st.integers(1, 300))
    def buy(self, credits: int) -> UUID:
        purchase_id = uuid4()

        async def step(wallet: Wallet) -> None:
            wallet.buy(credits, purchase_id=purchase_id, at=self.clock.now())

        self.change(step)
        self.bought += credits
        self.left[purchase_id] = credits
        return purchase_id

    @rule(purchase_id=purchases)
    def refund(self, purchase_id: UUID) -> None:
        taken: list[int] = []

        async def step(wallet: Wallet) -> None:
            credits = self.left[purchase_id]
            at = self.clock.now()
            taken.append(wallet.take_back(credits, purchase_id=purchase_id, at=at))

        self.change(step)
        assert taken == [min(self.left[purchase_id], self.bought)]
        self.bought -= taken[0]
        self.left[purchase_id] -= taken[0]

    def change(self, step: Callable[[Wallet], Awaitable[None]]) -> None:
        async def changed() -> None:
            async with type(self).new_uow() as uow:
                wallet = await uow.credits.wallet(self.user_id)
                await step(wallet)
                await uow.credits.save(wallet)
                await uow.commit()

        self.wait(changed())

    @invariant()
    def both_agree(self) -> None:
        if not hasattr(self, "loop"):
            return

        async def read() -> tuple[Wallet, Sequence[CreditEntry]]:
            async with type(self).new_uow() as uow:
                wallet = await uow.credits.wallet(self.user_id)
            return wallet, await type(self).entries(self.user_id)

        wallet, entries = self.wait(read())
        daily = 0 if wallet.day != self.day else self.daily
        shown = wallet.daily if wallet.day == self.today else 0
        assert shown == (daily if self.day == self.today else 0)
        assert wallet.bought == self.bought
        assert wallet.held == sum(d + b for _, d, b in self.holds.values())
        assert min(wallet.daily, wallet.bought, wallet.held) >= 0
        assert wallet.balance == sum(entry.credits for entry in entries)
        assert wallet.held == sum(entry.held for entry in entries)
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
