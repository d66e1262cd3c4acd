"""The money core over a real PostgreSQL and a payment provider that lives in memory."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.seals import MemorySeals
from adapters.memory.system import ManualClock
from adapters.memory.taxes import MemoryTaxes
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.verification import PostgresLedgerViews
from adapters.system.ids import UuidV7Ids
from application.ledger.fees import record_processing_fee
from application.ledger.releases import plan_transfers, release_due_earnings
from application.ledger.transfers import send_reversal, send_transfer
from application.ledger.verification import verify_ledger
from application.ordering.checkout import CartItem, CheckoutStarted, StartCheckout, start_checkout
from application.ordering.completion import complete_orders, reconcile_checkout
from application.ordering.disputes import record_dispute
from application.ordering.refund_outcomes import send_refund
from application.ordering.refunds import (
    RefundLineInput,
    RefundView,
    RequestRefund,
    request_refund,
)
from application.ordering.wishes import Shopper
from application.ports.messages import RetryLater
from application.ports.payments import CapturedPayment, DisputeChanged
from domain.catalogue.product import Product
from domain.identity.actor import Actor
from domain.ordering.fees import FeesBorneBy
from tests.builders import FEES, NOON, Market, actor, market

HOLD = timedelta(days=7)
ADMIN = actor()


@dataclass
class Desk:
    """What a use case needs, and short ways to drive it."""

    engine: AsyncEngine
    new_uow: Callable[[], PostgresUnitOfWork]
    provider: MemoryPaymentProvider
    clock: ManualClock
    ids: UuidV7Ids
    fees_borne_by: FeesBorneBy = field(default="platform", kw_only=True)
    taxes: MemoryTaxes = field(default_factory=MemoryTaxes, init=False)
    seals: MemorySeals = field(default_factory=MemorySeals, init=False)

    async def market(
        self, *, prices_cents: Sequence[int] = (2500,), stock: int | None = None
    ) -> Market:
        """A market whose payees have accounts at the provider."""
        accounts = []
        for _ in ("creator", "store"):
            account_id = await self.provider.accounts.open_account(
                payee_id=self.ids.new(), email=None, country=None
            )
            self.provider.accounts.complete_onboarding(account_id)
            accounts.append(account_id)
        return await market(
            self.new_uow(),
            prices_cents=prices_cents,
            stock=stock,
            creator_account_id=accounts[0],
            store_account_id=accounts[1],
        )

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
            shopper=Shopper(actor=buyer or actor()),
            uow=self.new_uow(),
            payments=self.provider.payments,
            clock=self.clock,
            ids=self.ids,
            taxes=self.taxes,
            seals=self.seals,
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

    async def reconcile(self, order_id: UUID) -> None:
        await reconcile_checkout(
            order_id,
            uow=self.new_uow(),
            payments=self.provider.payments,
            clock=self.clock,
            hold=HOLD,
        )

    async def ask_refund(
        self,
        order_id: UUID,
        amount_cents: int | None = None,
        *,
        pieces: Mapping[UUID, int] | None = None,
        key: str | None = None,
        by: Actor = ADMIN,
    ) -> RefundView:
        lines = pieces and [RefundLineInput(line_id=i, quantity=n) for i, n in pieces.items()]
        return await request_refund(
            order_id,
            RequestRefund(amount_cents=amount_cents, lines=lines or None),
            request_key=key or str(self.ids.new()),
            actor=by,
            uow=self.new_uow(),
            clock=self.clock,
            ids=self.ids,
        )

    async def send_refund(self, refund_id: UUID) -> None:
        await send_refund(
            refund_id,
            uow=self.new_uow(),
            payments=self.provider.payments,
            clock=self.clock,
            ids=self.ids,
        )

    async def refund(
        self,
        order_id: UUID,
        amount_cents: int | None = None,
        *,
        pieces: Mapping[UUID, int] | None = None,
        by: Actor = ADMIN,
    ) -> UUID:
        """Ask for a refund, send it, and ask back what was transferred."""
        asked = await self.ask_refund(order_id, amount_cents, pieces=pieces, by=by)
        await self.send_refund(asked.id)
        await self.send_reversals()
        return asked.id

    async def dispute(self, order_id: UUID, amount_cents: int | None = None) -> str:
        """The buyer's bank takes money back; we are told of it."""
        said = self.provider.payments.dispute(
            await self.charge_of(order_id), amount_cents=amount_cents
        )
        await self.hear(said)
        return said

    async def decide(
        self, dispute_id: str, outcome: Literal["won", "lost"], *, fee_returned: bool = False
    ) -> None:
        self.provider.payments.decide(dispute_id, outcome, fee_returned=fee_returned)
        await self.hear(dispute_id)
        await self.send_reversals()

    async def hear(self, dispute_id: str, said: DisputeChanged | None = None) -> UUID:
        """Record a snapshot: the present one, or one that comes late."""
        said = said or self.provider.payments.dispute_said(dispute_id)
        return await record_dispute(said, uow=self.new_uow(), clock=self.clock, ids=self.ids)

    async def charge_of(self, order_id: UUID) -> str:
        return str(
            (await self.rows("SELECT charge_id FROM orders WHERE id = :id", id=order_id))[0][0]
        )

    async def release(self) -> int:
        return await release_due_earnings(uow=self.new_uow(), clock=self.clock)

    async def plan(self) -> int:
        return await plan_transfers(uow=self.new_uow(), clock=self.clock, ids=self.ids)

    async def send_transfers(self) -> None:
        for transfer_id in await self.waiting("transfers"):
            await send_transfer(
                transfer_id, uow=self.new_uow(), payments=self.provider.payments, clock=self.clock
            )

    async def send_reversals(self) -> None:
        """Send those whose transfer has been sent; the others wait for it."""
        for reversal_id in await self.waiting("transfer_reversals"):
            with suppress(RetryLater):
                await send_reversal(
                    reversal_id,
                    uow=self.new_uow(),
                    payments=self.provider.payments,
                    clock=self.clock,
                )

    async def waiting(self, table: str) -> list[UUID]:
        rows = await self.rows(f"SELECT id FROM {table} WHERE state = 'intended' ORDER BY id")
        return [UUID(str(row[0])) for row in rows]

    async def pay_out(self) -> None:
        """The hold passes; what is due goes to the payees' accounts."""
        self.clock.advance(HOLD)
        await self.release()
        await self.plan()
        await self.send_transfers()

    async def book_fee(self, charge_id: str) -> None:
        await record_processing_fee(
            charge_id,
            uow=self.new_uow(),
            payments=self.provider.payments,
            clock=self.clock,
            borne_by=self.fees_borne_by,
        )

    async def check_books(self) -> None:
        """What holds after every journey, whatever happened on the way."""
        for (charge_id,) in await self.rows("SELECT charge_id FROM orders WHERE charge_id <> ''"):
            await self.book_fee(str(charge_id))
        report = await verify_ledger(PostgresLedgerViews(self.engine))
        assert report.breaches == []
        assert await self.rows(_PAYEES_WITH_OTHER_MONEY_THAN_THEIR_EARNINGS) == []
        assert await self.rows(_LINES_WITH_OTHER_REFUNDS_THAN_THEIR_ORDER) == []
        held = await self.trial_balance()
        assert held.get("contested_funds", 0) == -held.get("payable_disputed", 0)
        assert await self.rows(_LINES_WITH_OTHER_DISPUTES_THAN_THEIR_ORDER) == []
        theirs = self.provider.payments.balance_cents("usd") - PLATFORM_CENTS
        assert theirs == -(await self.trial_balance()).get("stripe_clearing", 0)

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


PLATFORM_CENTS = 1_000_000

_PAYEES_WITH_OTHER_MONEY_THAN_THEIR_EARNINGS = """
    SELECT payee_id, held, earned - borne - sent + taken_back + given_up FROM (
        SELECT b.payee_id,
            b.pending_cents + b.available_cents + b.reserved_cents + b.disputed_cents AS held,
            b.lifetime_cents,
            (SELECT coalesce(sum(amount_cents - returned_cents), 0) FROM earnings e
             WHERE e.payee_id = b.payee_id) AS earned,
            (SELECT coalesce(-sum(e.amount_cents), 0) FROM ledger_entries e
             JOIN ledger_transactions t ON t.id = e.transaction_id
             WHERE e.payee_id = b.payee_id AND t.kind = 'processing_fee') AS borne,
            (SELECT coalesce(sum(amount_cents), 0) FROM transfers t
             WHERE t.payee_id = b.payee_id AND t.state = 'sent') AS sent,
            (SELECT coalesce(sum(amount_cents), 0) FROM transfer_reversals r
             WHERE r.payee_id = b.payee_id AND r.state = 'done') AS taken_back,
            (SELECT coalesce(sum(amount_cents), 0) FROM ledger_write_offs w
             WHERE w.payee_id = b.payee_id) AS given_up
        FROM payee_balances b
    ) AS found
    WHERE held <> earned - borne - sent + taken_back + given_up OR lifetime_cents <> earned
"""

_LINES_WITH_OTHER_REFUNDS_THAN_THEIR_ORDER = """
    SELECT l.order_id, sum(l.refunded_cents), sum(l.returned_cents), r.* FROM order_lines l
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents) FILTER (WHERE status <> 'failed'), 0) AS asked,
            coalesce(sum(amount_cents) FILTER (WHERE status IN ('succeeded', 'returned')), 0)
                AS given
        FROM refunds WHERE order_id = l.order_id
    ) AS r
    GROUP BY l.order_id, r.asked, r.given
    HAVING sum(l.refunded_cents) <> r.asked OR sum(l.returned_cents) <> r.given
"""


_LINES_WITH_OTHER_DISPUTES_THAN_THEIR_ORDER = """
    SELECT o.id, o.contested_cents, l.*, d.* FROM orders o
    CROSS JOIN LATERAL (
        SELECT sum(disputed_cents) AS contested, sum(lost_cents) AS lost
        FROM order_lines WHERE order_id = o.id
    ) AS l
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(withdrawn_cents - reinstated_cents - lost_cents), 0) AS held,
            coalesce(sum(lost_cents), 0) AS gone
        FROM disputes WHERE order_id = o.id
    ) AS d
    WHERE o.contested_cents <> d.held OR l.contested <> d.held OR l.lost <> d.gone
"""


@pytest.fixture
async def desk(clean_database: str) -> AsyncIterator[Desk]:
    engine = open_engine(clean_database)
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
