"""Any life of the books: in memory often, over PostgreSQL a few times."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.engine import sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from domain.ledger.posting import Account
from domain.shared.money import Currency
from tests.builders import NOON
from tests.contracts.ledger_model import LedgerModel

pytestmark = pytest.mark.money
Sums = Counter[tuple[Currency, Account, UUID | None]]
SHARE_OF_EXAMPLES = 20
"""An example here has up to fifty steps."""


def test_the_books_in_memory_agree_with_a_dictionary() -> None:
    database = MemoryDatabase()

    async def sums(keys: list[str]) -> Sums:
        found: Sums = Counter()
        for key in keys:
            posted = database.books.posted[key]
            for account, payee_id, cents in posted.entries:
                found[posted.currency, account, payee_id] += cents
        return found

    class InMemory(LedgerModel):
        new_uow = staticmethod(lambda: MemoryUnitOfWork(database))

        def teardown(self) -> None:
            super().teardown()
            database.books.posted.clear()
            database.books.balances.clear()

    InMemory.sums = staticmethod(sums)
    examples = max(20, settings().max_examples // SHARE_OF_EXAMPLES)
    run_state_machine_as_test(
        InMemory, settings=settings(max_examples=examples, stateful_step_count=40)
    )


def test_the_books_in_postgresql_agree_with_a_dictionary(clean_database: str) -> None:
    engine = create_async_engine(clean_database, poolclass=NullPool)
    sessions = sessions_of(engine)
    query = text(
        "SELECT e.currency, e.account, e.payee_id, sum(e.amount_cents)::bigint AS cents "
        "FROM ledger_transactions t JOIN ledger_entries e "
        "ON e.posted_on = t.posted_on AND e.transaction_id = t.id "
        "WHERE t.effect_key = ANY(:keys) GROUP BY 1, 2, 3"
    )

    async def sums(keys: list[str]) -> Sums:
        async with engine.connect() as connection:
            rows = await connection.execute(query, {"keys": keys})
            return Counter(
                {(Currency(r.currency), Account(r.account), r.payee_id): r.cents for r in rows}
            )

    class InPostgres(LedgerModel):
        new_uow = staticmethod(
            lambda: PostgresUnitOfWork(sessions, clock=ManualClock(NOON), ids=UuidV7Ids())
        )

    InPostgres.sums = staticmethod(sums)
    examples = max(4, settings().max_examples // 400)
    run_state_machine_as_test(
        InPostgres,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
    asyncio.run(engine.dispose())
