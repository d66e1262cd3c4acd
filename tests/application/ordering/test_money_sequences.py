"""Any sequence of what may happen to orders, by the real use cases over dicts: the books hold
after every step, and hearing or asking for the same again changes nothing.

How many sequences are tried is the profile's business: `--hypothesis-profile`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ledger.transfers import SEND_REVERSAL, SEND_TRANSFER, SendReversal, SendTransfer
from application.ledger.withdrawals import Withdraw, withdraw
from application.ports.payments import CapturedPayment
from domain.identity.actor import Role
from domain.ledger.payout_rules import PayoutPolicy
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule, PayoutSettings
from domain.ledger.posting import Account, Transaction
from domain.shared.errors import LikenessError
from tests.application.ordering.conftest import ADMIN, HOLD, PLATFORM_CENTS, Desk
from tests.builders import NOON, USD, Market, actor, bank_account_of

KINDS = st.sampled_from(
    [
        "buy",
        "fee",
        "pass a week",
        "pay out",
        "pay out",
        "plan",
        "send transfers",
        "send reversals",
        "refund by amount",
        "refund a piece",
        "refund the rest",
        "dispute",
        "win",
        "lose",
        "withdraw",
        "withdraw",
    ]
)
STEPS = st.lists(st.tuples(KINDS, st.integers(0, 2), st.integers(1, 6000)), min_size=4, max_size=16)


class Sequence(Desk):
    """A desk over dicts. The store is paid by transfers, the creator when it asks its bank."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        clock = ManualClock(NOON)
        super().__init__(
            cast("AsyncEngine", None),  # nothing here reads by SQL
            cast("Callable[[], object]", lambda: MemoryUnitOfWork(self.database)),  # type: ignore[arg-type]
            MemoryPaymentProvider(clock),
            clock,
            UuidV7Ids(),
        )
        self.captured: list[CapturedPayment] = []
        self.disputes: list[str] = []
        self.open: list[str] = []
        self.withdrawn: set[str] = set()

    async def opened(self) -> Market:
        shop = await self.market(prices_cents=(2500, 1999))
        async with (uow := self.new_uow()):
            uow.payout_settings.add(
                PayoutSettings(
                    id=shop.creator.id, method=PayoutMethod.BANK, schedule=PayoutSchedule.MANUAL
                )
            )
            uow.bank_accounts.add(bank_account_of(shop.creator.id))
            await uow.commit()
        return shop

    async def charge_of(self, order_id: UUID) -> str:
        return next(c.charge_id for c in self.captured if c.order_id == order_id)

    async def waiting(self, table: str) -> list[UUID]:
        topic = {"transfers": SEND_TRANSFER, "transfer_reversals": SEND_REVERSAL}[table]
        bodies = [m.body for m in self.database.messages if m.topic == topic]
        return [
            body.transfer_id if isinstance(body, SendTransfer) else body.reversal_id
            for body in bodies
            if isinstance(body, SendTransfer | SendReversal)
        ]

    async def play(self, shop: Market, kind: str, which: int, cents: int) -> None:
        """One step, and the same again."""
        step = await self._step(shop, kind, which, cents)
        with suppress(LikenessError):
            await step()
        self.check(shop)
        known = (self.posted(), dict(self.database.books.balances))
        with suppress(LikenessError):
            await step()
        assert (self.posted(), dict(self.database.books.balances)) == known

    async def _step(
        self, shop: Market, kind: str, which: int, cents: int
    ) -> Callable[[], Awaitable[object]]:
        key = str(self.ids.new())
        if kind == "buy" or not self.captured:
            checkout = await self.check_out(*shop.products, quantity=1 + which, key=key)
            captured = await self.pay(checkout)
            self.captured.append(captured)
            return lambda: self.settle(captured)
        order = self.captured[which % len(self.captured)]
        match kind:
            case "fee":
                return lambda: self.book_fee(order.charge_id)
            case "pass a week":
                self.clock.advance(HOLD + timedelta(seconds=1))
                return self.release
            case "pay out":
                self.clock.advance(HOLD + timedelta(seconds=1))
                return self._paid_out
            case "plan":
                return self.plan
            case "send transfers":
                return self.send_transfers
            case "send reversals":
                return self.send_reversals
            case "refund by amount":
                return lambda: self._refunded(order.order_id, key, cents=cents)
            case "refund a piece":
                async with (uow := self.new_uow()):
                    line = (await uow.orders.get(order.order_id)).lines[cents % 2]
                return lambda: self._refunded(order.order_id, key, pieces={line.id: 1})
            case "refund the rest":
                return lambda: self._refunded(order.order_id, key)
            case "dispute":
                with suppress(ValueError):  # the charge has not that much left
                    said = self.provider.payments.dispute(order.charge_id, amount_cents=cents)
                    self.disputes.append(said)
                    self.open.append(said)
            case "win" | "lose" if self.open:
                said = self.open.pop(which % len(self.open))
                self.provider.payments.decide(said, "won" if kind == "win" else "lost")
            case "withdraw":
                return lambda: self._withdrawn(shop, key)
            case _:
                pass
        return self._heard

    async def _paid_out(self) -> None:
        await self.release()
        await self.plan()
        await self.send_transfers()

    async def _heard(self) -> None:
        for said in self.disputes:
            await self.hear(said)

    async def _refunded(
        self,
        order_id: UUID,
        key: str,
        *,
        cents: int | None = None,
        pieces: dict[UUID, int] | None = None,
    ) -> None:
        asked = await self.ask_refund(order_id, cents, pieces=pieces, key=key, by=ADMIN)
        await self.send_refund(asked.id)

    async def _withdrawn(self, shop: Market, key: str) -> None:
        """Everything there is; whoever asks for it once more is refused."""
        before = self.available(shop.creator.id)
        await self._withdraw(shop, key)
        if key in self.withdrawn:
            return
        self.withdrawn.add(key)
        assert 0 <= self.available(shop.creator.id) < before
        with pytest.raises(LikenessError):
            await self._withdraw(shop, str(self.ids.new()))

    async def _withdraw(self, shop: Market, key: str) -> None:
        await withdraw(
            None,
            Withdraw(),
            request_key=key,
            actor=actor(Role.CREATOR, user_id=shop.creator_user.id),
            uow=self.new_uow(),
            rails={},
            policy=PayoutPolicy(),
            clock=self.clock,
            ids=self.ids,
        )

    def available(self, payee_id: UUID) -> int:
        balance = self.database.books.balances.get((payee_id, USD))
        return balance.available_cents if balance else 0

    def posted(self) -> dict[str, Transaction]:
        return dict(self.database.books.posted)

    def check(self, shop: Market) -> None:
        sums: dict[tuple[Account, UUID | None], int] = {}
        for transaction in self.posted().values():
            assert sum(entry.amount_cents for entry in transaction.entries) == 0
            for account, payee_id, cents in transaction.entries:
                sums[account, payee_id] = sums.get((account, payee_id), 0) + cents
        for payee_id in (shop.creator.id, shop.store.id):
            self._check_payee(payee_id, sums)
        for captured in self.captured:
            sale = self.posted().get(f"sale:{captured.charge_id}")
            assert sale is not None
            legs = [e for e in sale.entries if e.account is not Account.STRIPE_CLEARING]
            assert sum(leg.amount_cents for leg in legs) == captured.amount_cents
        held = sums.get((Account.CONTESTED_FUNDS, None), 0)
        disputed = [c for (account, _), c in sums.items() if account is Account.PAYABLE_DISPUTED]
        assert held == -sum(disputed)

    def _check_payee(self, payee_id: UUID, sums: dict[tuple[Account, UUID | None], int]) -> None:
        """Its balance is what is posted, and it never has more than it earned."""
        balance = self.database.books.balances.get((payee_id, USD))
        if balance is None:
            return
        held = {
            Account.PAYABLE_PENDING: balance.pending_cents,
            Account.PAYABLE_AVAILABLE: balance.available_cents,
            Account.PAYABLE_RESERVED: balance.reserved_cents,
            Account.PAYABLE_DISPUTED: balance.disputed_cents,
        }
        for account, cents in held.items():
            assert sums.get((account, payee_id), 0) == cents
            assert cents >= 0 or account is Account.PAYABLE_AVAILABLE
        sent = sum(
            entry.amount_cents
            for transaction in self.posted().values()
            if transaction.kind in ("transfer", "reversal")
            for entry in transaction.entries
            if entry.payee_id == payee_id
        )
        assert sum(held.values()) - sent == balance.lifetime_cents >= 0

    async def end(self, shop: Market) -> None:
        """Every fee is heard of and every dispute: then the provider has what our books say."""
        for captured in self.captured:
            await self.book_fee(captured.charge_id)
        await self._heard()
        await self.send_transfers()
        await self.send_reversals()
        self.check(shop)
        clearing = sum(
            entry.amount_cents
            for transaction in self.posted().values()
            for entry in transaction.entries
            if entry.account is Account.STRIPE_CLEARING
        )
        assert self.provider.payments.balance_cents("usd") - PLATFORM_CENTS == -clearing


@pytest.mark.money
@given(steps=STEPS)
def test_any_sequence_keeps_the_books(steps: list[tuple[str, int, int]]) -> None:
    async def played() -> None:
        desk = Sequence()
        shop = await desk.opened()
        for kind, which, cents in steps:
            await desk.play(shop, kind, which, cents)
        await desk.end(shop)

    asyncio.run(played())
