"""Any life of a wallet: in memory often, over PostgreSQL a few times."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.credits import credit_entries
from adapters.postgres.engine import sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from domain.studio.credits import CreditEntry
from tests.builders import NOON
from tests.contracts.wallet_model import WalletModel

pytestmark = pytest.mark.money
SHARE_OF_EXAMPLES = 4


def test_a_wallet_in_memory_agrees_with_a_dictionary() -> None:
    database = MemoryDatabase()

    async def entries(user_id: UUID) -> Sequence[CreditEntry]:
        return [entry for entry in database.credits.entries if entry.user_id == user_id]

    class InMemory(WalletModel):
        """Each life begins in an empty store: looking through those before would grow with them."""

        new_uow = staticmethod(lambda: MemoryUnitOfWork(database))

        def teardown(self) -> None:
            nonlocal database
            super().teardown()
            database = MemoryDatabase()

    InMemory.entries = staticmethod(entries)
    examples = max(25, settings().max_examples // SHARE_OF_EXAMPLES)
    run_state_machine_as_test(
        InMemory, settings=settings(max_examples=examples, stateful_step_count=30)
    )


def test_a_wallet_in_postgresql_agrees_with_a_dictionary(clean_database: str) -> None:
    engine = create_async_engine(clean_database, poolclass=NullPool)
    sessions = sessions_of(engine)

    async def entries(user_id: UUID) -> Sequence[CreditEntry]:
        found = select(credit_entries).where(credit_entries.c.user_id == user_id)
        async with engine.connect() as connection:
            rows = await connection.execute(found.order_by(credit_entries.c.number))
            return [CreditEntry(**row._mapping) for row in rows]

    class InPostgres(WalletModel):
        new_uow = staticmethod(
            lambda: PostgresUnitOfWork(sessions, clock=ManualClock(NOON), ids=UuidV7Ids())
        )

    InPostgres.entries = staticmethod(entries)
    examples = max(4, settings().max_examples // 400)
    run_state_machine_as_test(
        InPostgres,
        settings=settings(
            max_examples=examples, stateful_step_count=15, suppress_health_check=list(HealthCheck)
        ),
    )
    asyncio.run(engine.dispose())
