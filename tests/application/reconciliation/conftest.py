"""The money core over a real PostgreSQL, with the sandbox as the provider whose books can lie."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from adapters.flowpay.transfers import FlowPayTransfers
from adapters.flowpay.transport import FlowPayApi
from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.system import ManualClock
from adapters.postgres.comparison import PostgresComparison
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.reconciliation_views import PostgresReconciliationViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ledger.reconciliation import (
    AskReconciliation,
    RunView,
    ask_reconciliation,
)
from application.ledger.reconciling import reconcile_day
from application.ordering.checkout import CheckoutStarted
from application.ordering.disputes import record_dispute
from application.ordering.refund_outcomes import record_refund
from application.ports.payments import CapturedPayment, DisputeChanged
from application.ports.payouts import PayoutRails
from application.ports.provider_books import ProviderBooks
from application.ports.reconciliation import DifferenceRecord
from domain.ledger.payout_settings import PayoutMethod
from tests.application.ordering.conftest import ADMIN, Desk
from tests.builders import Market
from tests.contracts.conftest import sandbox, sandbox_process
from tests.contracts.payment_providers import SandboxProvider
from tests.sandbox.server import Sandbox

__all__ = ["sandbox", "sandbox_process"]

SOON = timedelta(hours=2)
"""Nothing is too young any more."""


class SharedClock(ManualClock):
    """Where it goes, the sandbox goes too."""

    def __init__(self, now: datetime, sandbox: Sandbox) -> None:
        super().__init__(now)
        self._sandbox = sandbox

    def advance(self, by: timedelta) -> timedelta:
        moved = super().advance(by)
        self._sandbox.control("clock", advance_seconds=int(by.total_seconds()))
        return moved


@dataclass
class Audit(Desk):
    """A desk whose provider is the sandbox, and the comparison of both sides' books."""

    sandbox: Sandbox
    world: SandboxProvider
    bank_api: FlowPayApi
    comparison: PostgresComparison
    views: PostgresReconciliationViews

    async def market(self, **given: Any) -> Market:
        """Its payees' accounts are at the sandbox."""
        self.provider = cast("MemoryPaymentProvider", _Quiet(self.world))
        return await super().market(**given)

    async def pay(self, checkout: CheckoutStarted) -> CapturedPayment:
        await self.world.pay(checkout.session_id)
        state = await self.provider.payments.checkout_state(checkout.session_id)
        assert state.captured is not None
        return state.captured

    async def sell(self, shop: Market, key: str = "k") -> CapturedPayment:
        """An order that is paid and booked, its fee too."""
        paid = await self.pay(await self.check_out(*shop.products, key=key))
        assert await self.settle(paid) == {}
        await self.book_fee(paid.charge_id)
        return paid

    @property
    def today(self) -> date:
        return self.clock.now().date()

    async def ask(self, day: date | None = None) -> RunView:
        return await ask_reconciliation(
            AskReconciliation(day=day or self.today),
            actor=ADMIN,
            uow=self.new_uow(),
            clock=self.clock,
            ids=self.ids,
        )

    async def compare(
        self, day: date | None = None, *, books: ProviderBooks | None = None
    ) -> dict[str, DifferenceRecord]:
        """Compare a day; answers what it saw first and is unresolved, by kind."""
        run = await self.ask(day)
        await self.go_on(run.day, books=books)
        found = await self.views.differences(run.id, state=None, after=None, limit=100)
        unresolved = [one for one in found if one.state != "resolved"]
        assert len({one.kind for one in unresolved}) == len(unresolved), unresolved
        return {one.kind: one for one in unresolved}

    async def go_on(self, day: date, *, books: ProviderBooks | None = None) -> None:
        await reconcile_day(
            day,
            new_uow=self.new_uow,
            books=books or self.world.books,
            comparison=self.comparison,
            payout_balance=self.bank,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def bank(self) -> FlowPayTransfers:
        return FlowPayTransfers(self.bank_api)

    @property
    def rails(self) -> PayoutRails:
        return {PayoutMethod.BANK: self.bank}

    def bank_holds(self, cents: int) -> None:
        self.sandbox.control("flowpay/behaviour", funds=cents)

    async def tamper(self, statement: str, **parameters: object) -> None:
        """Change our side past every guard, as a restored backup or a superuser might."""
        async with self.engine.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            await connection.execute(text(statement), parameters)

    async def unpost(self, effect_key: str) -> None:
        await self.tamper(
            "DELETE FROM ledger_entries WHERE transaction_id IN "
            "(SELECT id FROM ledger_transactions WHERE effect_key = :key)",
            key=effect_key,
        )
        await self.tamper("DELETE FROM ledger_transactions WHERE effect_key = :key", key=effect_key)

    async def bank_returns(self, refund_id: UUID, charge_id: str) -> None:
        """The buyer's bank sends a refund back, and we are told."""
        await self.world.return_refund(await self.provider_id("refunds", refund_id))
        told = await self.provider.payments.find_refund(refund_id=refund_id, charge_id=charge_id)
        assert told is not None
        await record_refund(refund_id, told, uow=self.new_uow(), clock=self.clock, ids=self.ids)

    async def hear_disputes(self) -> None:
        """All that the provider said of disputes so far, once more."""
        for said in await self.world.told():
            if isinstance(said, DisputeChanged):
                await record_dispute(said, uow=self.new_uow(), clock=self.clock, ids=self.ids)

    async def provider_id(self, table: str, our_id: UUID | None = None) -> str:
        where = "WHERE id = :id" if our_id else "WHERE provider_id IS NOT NULL"
        rows = await self.rows(
            f"SELECT provider_id FROM {table} {where} ORDER BY id LIMIT 1",
            **({"id": our_id} if our_id else {}),
        )
        return str(rows[0][0])


class _Quiet:
    """The sandbox with the names of the provider in memory."""

    def __init__(self, world: SandboxProvider) -> None:
        self.payments = world.payments
        self.accounts = _Accounts(world)


class _Accounts:
    def __init__(self, world: SandboxProvider) -> None:
        self._world = world
        self.open_account: Callable[..., Any] = world.accounts.open_account

    def complete_onboarding(self, account_id: str) -> None:
        self._world.complete_onboarding(account_id)


@pytest.fixture
async def audit(clean_database: str, sandbox: Sandbox) -> AsyncIterator[Audit]:
    engine = open_engine(clean_database)
    world = SandboxProvider(sandbox)
    clock, ids = SharedClock(world.now(), sandbox), UuidV7Ids()
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock.advance(noon - clock.now())
    sessions = sessions_of(engine)
    flowpay = FlowPayApi(api_key="fp_test_sandbox", base_url=f"{sandbox.url}/flowpay")
    audit = Audit(
        engine,
        lambda: PostgresUnitOfWork(sessions, clock=clock, ids=ids),
        cast("MemoryPaymentProvider", _Quiet(world)),
        clock,
        ids,
        sandbox,
        world,
        flowpay,
        PostgresComparison(engine),
        PostgresReconciliationViews(engine),
    )
    audit.bank_holds(0)
    yield audit
    await flowpay.aclose()
    await world.close()
    await engine.dispose()
