"""The money core over a real PostgreSQL and a payment provider that lives in memory."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.system import ManualClock
from adapters.postgres.engine import database_config, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ordering.checkout import CartItem, CheckoutStarted, StartCheckout, start_checkout
from application.ordering.completion import complete_orders
from application.ports.payments import CapturedPayment
from domain.catalogue.product import Product
from domain.identity.actor import Actor
from tests.builders import FEES, NOON, actor

HOLD = timedelta(days=7)


@dataclass
class Desk:
    """What a use case needs, and short ways to drive it."""

    engine: AsyncEngine
    new_uow: Callable[[], PostgresUnitOfWork]
    provider: MemoryPaymentProvider
    clock: ManualClock
    ids: UuidV7Ids

    async def check_out(
        self, *products: Product, quantity: int = 1, buyer: Actor | None = None, key: str = "k"
    ) -> CheckoutStarted:
        command = StartCheckout(
            items=[CartItem(product_id=p.id, quantity=quantity) for p in products],
            success_url="https://shop.example/ok",
            cancel_url="https://shop.example/no",
        )
        return await start_checkout(
            command,
            request_key=key,
            actor=buyer or actor(),
            uow=self.new_uow(),
            payments=self.provider.payments,
            clock=self.clock,
            ids=self.ids,
            fees=FEES,
        )

    async def pay(self, checkout: CheckoutStarted) -> CapturedPayment:
        self.provider.payments.pay(checkout.session_id)
        state = await self.provider.payments.checkout_state(checkout.session_id)
        assert state.captured is not None
        return state.captured

    async def settle(self, *captured: CapturedPayment) -> dict[str, Exception]:
        return dict(
            await complete_orders(captured, uow=self.new_uow(), clock=self.clock, hold=HOLD)
        )

    async def buy(self, *products: Product, quantity: int = 1, key: str = "k") -> UUID:
        checkout = await self.check_out(*products, quantity=quantity, key=key)
        assert await self.settle(await self.pay(checkout)) == {}
        return checkout.order_id

    async def rows(self, query: str, **parameters: object) -> list[tuple[object, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query), parameters)]

    async def trial_balance(self) -> dict[str, int]:
        rows = await self.rows("SELECT account, sum(amount_cents) FROM ledger_entries GROUP BY 1")
        return {str(account): int(str(total)) for account, total in rows if total}

    async def balance(self, payee_id: UUID) -> dict[str, int]:
        rows = await self.rows(
            "SELECT pending_cents, available_cents, reserved_cents, lifetime_cents "
            "FROM payee_balances WHERE payee_id = :payee_id",
            payee_id=payee_id,
        )
        names = ("pending", "available", "reserved", "lifetime")
        values = rows[0] if rows else (0, 0, 0, 0)
        return dict(zip(names, (int(str(v)) for v in values), strict=True))


@pytest.fixture
async def desk(clean_database: str) -> AsyncIterator[Desk]:
    engine = database_config(clean_database).get_engine()
    clock, ids = ManualClock(NOON), UuidV7Ids()
    sessions = sessions_of(engine)
    yield Desk(
        engine,
        lambda: PostgresUnitOfWork(sessions, clock=clock, ids=ids),
        MemoryPaymentProvider(clock),
        clock,
        ids,
    )
    await engine.dispose()
