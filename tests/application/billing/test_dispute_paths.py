"""In whatever order it comes, what is left of money and credits follows from what happened."""

import asyncio
from collections import Counter as Sums
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple, cast, get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.billing.disputes import hear_charge_dispute
from application.ports.payments import DisputeChanged
from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import release_credits, reserve_credits, settle_credits
from domain.ledger.posting import Account
from domain.studio.contested import ChargeContested
from domain.studio.credits import CreditEntry, CreditKind, CreditsExhausted
from domain.studio.purchases import NothingToGiveBack
from tests.application.billing.counter import Counter

pytestmark = pytest.mark.money

OURS_BEFORE = 1_000_000

Act = Literal[
    "buy", "work", "spend", "fail", "refund", "send", "dispute", "won", "lost", "hear", "hear_old"
]


class Step(NamedTuple):
    act: Act
    number: int


STEPS = st.lists(
    st.builds(
        Step,
        act=st.sampled_from(list(get_args(Act))),
        number=st.integers(0, 600),
    ),
    max_size=25,
)


class Life:
    def __init__(self, counter: Counter, entries: list[CreditEntry]) -> None:
        self.counter = counter
        self.entries = entries
        self.purchases: list[UUID] = []
        self.jobs: list[UUID] = []
        self.refunds: list[UUID] = []
        self.disputes: list[str] = []
        self.said: list[DisputeChanged] = []

    async def do(self, step: Step) -> None:
        counter, number = self.counter, step.number
        counter.clock.advance(timedelta(seconds=1))
        match step.act:
            case "buy":
                bought = await counter.bought(key=str(uuid4()))
                self.purchases.append(bought.id)
            case "work":
                job_id = uuid4()
                async with counter.new_uow() as uow:
                    try:
                        await reserve_credits(
                            uow,
                            user_id=counter.ada.user_id,
                            job_id=job_id,
                            round=1,
                            credits=number,
                            at=counter.now,
                        )
                    except CreditsExhausted:
                        return
                    await uow.commit()
                self.jobs.append(job_id)
            case "spend" | "fail" if self.jobs:
                job_id = self.jobs[number % len(self.jobs)]
                async with counter.new_uow() as uow:
                    if step.act == "spend":
                        await settle_credits(
                            uow, job_id=job_id, round=1, credits=number, at=counter.now
                        )
                    else:
                        await release_credits(uow, job_id=job_id, round=1, at=counter.now)
                    await uow.commit()
            case "refund" if self.purchases:
                try:
                    made = await counter.refund(self.purchases[number % len(self.purchases)])
                except (NothingToGiveBack, ChargeContested):
                    return
                self.refunds.append(made.id)
            case "send" if self.refunds:
                await counter.send(self.refunds[number % len(self.refunds)])
            case "dispute" if self.purchases:
                purchase = await counter.purchase(self.purchases[number % len(self.purchases)])
                assert purchase.charge_id is not None
                try:
                    opened = counter.provider.payments.dispute(
                        purchase.charge_id, amount_cents=number or None
                    )
                except ValueError:
                    return
                self.disputes.append(opened)
                self.note(opened)
            case "won" | "lost" if self.disputes:
                dispute_id = self.disputes[number % len(self.disputes)]
                said = counter.provider.payments.dispute_said(dispute_id)
                if said.status not in ("won", "lost"):
                    counter.provider.payments.decide(
                        dispute_id, "won" if step.act == "won" else "lost"
                    )
                    self.note(dispute_id)
            case "hear" if self.disputes:
                await self.hear(self.said[-1])
            case "hear_old" if self.said:
                await self.hear(self.said[number % len(self.said)])

    def note(self, dispute_id: str) -> None:
        self.said.append(self.counter.provider.payments.dispute_said(dispute_id))

    async def hear(self, said: DisputeChanged) -> None:
        counter = self.counter
        assert await hear_charge_dispute(
            said, uow=counter.new_uow(), clock=counter.clock, ids=counter.ids
        )

    async def settle(self) -> None:
        """All that is under way ends, and everything is heard."""
        for refund_id in self.refunds:
            await self.counter.send(refund_id)
        for dispute_id in self.disputes:
            await self.hear(self.counter.provider.payments.dispute_said(dispute_id))
        for job_id in self.jobs:
            async with self.counter.new_uow() as uow:
                await release_credits(uow, job_id=job_id, round=1, at=self.counter.now)
                await uow.commit()

    async def check(self) -> None:
        counter, payments = self.counter, self.counter.provider.payments
        sums: Sums[Account] = Sums()
        async with counter.new_uow() as uow:
            wallet = await uow.credits.wallet(counter.ada.user_id)
            keys = [f"platform_refund:{refund_id}" for refund_id in self.refunds]
            frozen = written_off = 0
            for provider_id in self.disputes:
                dispute = await uow.charge_disputes.by_provider_id(provider_id)
                assert dispute is not None
                written_off += dispute.written_off
                keys += [f"dispute:{dispute.id}:{step}" for step in ("opened", "won", "lost")]
                freeze = await uow.credits.freeze(dispute.id)
                assert freeze is not None
                frozen += freeze.frozen if freeze.is_open else 0
            revenue_cents = left = lost = 0
            for purchase_id in self.purchases:
                purchase = await uow.credit_purchases.get(purchase_id)
                keys.append(f"credits:{purchase.charge_id}")
                charge = await uow.platform_charges.find(purchase.charge_id or "")
                assert charge is not None
                revenue_cents += charge.amount_cents - min(charge.amount_cents, charge.out_cents)
                left += purchase.refundable_credits
                lost += purchase.lost_credits
                assert charge.out_cents <= charge.amount_cents
            for key in keys:
                found = await uow.ledger.find(key)
                for entry in found.entries if found else ():
                    sums[entry.account] += entry.amount_cents
        assert sum(sums.values()) == 0
        assert sums[Account.PLATFORM_REVENUE] == revenue_cents
        stripe_fees = 0
        for paid in counter.billing.charged:
            fee = await payments.processing_fee(paid.charge_id)
            stripe_fees += fee.amount_cents if fee else 0
        theirs = payments.balance_cents("usd") - OURS_BEFORE + stripe_fees
        assert -sums[Account.STRIPE_CLEARING] == theirs
        assert (wallet.frozen, wallet.held) == (frozen, 0)
        forfeited = sum(one.lapsed for one in self.entries if one.kind is CreditKind.FORFEIT)
        assert lost == forfeited + written_off
        kept = wallet.bought + wallet.frozen
        spent = sum(one.spent for one in self.entries)
        assert left - spent <= kept <= left


@given(steps=STEPS)
def test_any_order_of_spending_refunds_and_disputes_adds_up(steps: list[Step]) -> None:
    async def live() -> None:
        database = MemoryDatabase()
        counter = Counter(cast("Callable[[], UnitOfWork]", lambda: MemoryUnitOfWork(database)))
        life = Life(await counter.opened(), database.credits.entries)
        for step in steps:
            await life.do(step)
        await life.settle()
        await life.check()

    asyncio.run(live())
