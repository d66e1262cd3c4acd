"""One suite for both stores: the unit of work over dicts, and the one over PostgreSQL."""

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from adapters.memory.system import ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.postgres.engine import sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ports.unit_of_work import UnitOfWork
from tests.builders import NOON

NewUnitOfWork = Callable[[], UnitOfWork]


@pytest.fixture
async def sessions(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_async_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


@pytest.fixture
def postgres_uow(sessions: async_sessionmaker[AsyncSession]) -> NewUnitOfWork:
    return lambda: PostgresUnitOfWork(sessions, clock=ManualClock(NOON), ids=UuidV7Ids())


@pytest.fixture(params=["memory", "postgres"])
def new_uow(request: pytest.FixtureRequest) -> NewUnitOfWork:
    if request.param == "memory":
        database = MemoryDatabase()
        return lambda: MemoryUnitOfWork(database)
    real: NewUnitOfWork = request.getfixturevalue("postgres_uow")
    return real


def fields_of(aggregate: object) -> dict[str, object]:
    """What an aggregate holds, without what a mapper has put beside it."""
    return {name: value for name, value in vars(aggregate).items() if not name.startswith("_")}
