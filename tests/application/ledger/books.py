"""The books of a shop over PostgreSQL, and hands that go around their guards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.system import ManualClock
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.ledger_upkeep import PostgresLedgerUpkeep
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.verification import PostgresLedgerViews
from adapters.system.ids import UuidV7Ids
from application.ledger import closing
from application.ledger.closing import ClosedBooks
from application.ledger.verification import LedgerReport, verify_ledger
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.posting import Account, Transaction
from domain.shared.money import Currency
from tests.builders import NOON, USD

CREATOR, STORE = UUID(int=1), UUID(int=2)
EUR = Currency("eur")


def sale(
    number: int,
    *,
    currency: Currency = USD,
    payee_id: UUID = STORE,
    at: datetime = NOON,
) -> Transaction:
    return effects.sale(
        charge_id=f"ch_{number}",
        order_id=uuid4(),
        currency=currency,
        parts=[
            Part(Account.PAYABLE_PENDING, payee_id, 900),
            Part(Account.PLATFORM_REVENUE, None, 100),
        ],
        at=at,
    )


def release(order_id: UUID, *, cents: int) -> Transaction:
    return effects.release(
        order_id=order_id, payee_id=STORE, currency=USD, amount_cents=cents, at=NOON
    )


@dataclass
class Books:
    """`clock` is where it is noon until a test moves it."""

    engine: AsyncEngine
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))

    @property
    def upkeep(self) -> PostgresLedgerUpkeep:
        return PostgresLedgerUpkeep(self.engine)

    @property
    def views(self) -> PostgresLedgerViews:
        """In batches so small that every case meets their edges."""
        return PostgresLedgerViews(self.engine, transactions_per_batch=2, payees_per_batch=1)

    def new_uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(sessions_of(self.engine), clock=self.clock, ids=UuidV7Ids())

    async def post(self, *transactions: Transaction) -> None:
        async with (uow := self.new_uow()):
            await uow.ledger.post(transactions)
            await uow.commit()

    async def tamper(self, statement: str) -> None:
        """What a superuser can do who turns all guards off."""
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            done = await connection.exec_driver_sql(statement)
            assert done.rowcount > 0

    async def verify(self) -> LedgerReport:
        return await verify_ledger(self.views)

    async def close(self) -> ClosedBooks:
        return await closing.close_books(upkeep=self.upkeep, views=self.views, clock=self.clock)

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(statement)]

    async def days(self) -> dict[str, date]:
        """On which day each effect is posted."""
        rows = await self.rows("SELECT effect_key, posted_on FROM ledger_transactions")
        return dict(rows)  # type: ignore[arg-type]

    async def breaches(self) -> list[tuple[str, str]]:
        report = await self.verify()
        assert report.sound == (not report.breaches)
        assert report.breach_count == len(report.breaches)
        return [(breach.rule, breach.subject) for breach in report.breaches]


@pytest.fixture
async def books(clean_database: str) -> AsyncIterator[Books]:
    engine = open_engine(clean_database)
    yield Books(engine)
    await engine.dispose()
