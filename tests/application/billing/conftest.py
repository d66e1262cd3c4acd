"""The counter over both stores, or over PostgreSQL alone where that is what is tried."""

import pytest

from tests.application.billing.counter import Counter
from tests.contracts.units_of_work import NewUnitOfWork, new_uow, postgres_uow, sessions

__all__ = ["new_uow", "postgres_uow", "sessions"]


@pytest.fixture
async def counter(new_uow: NewUnitOfWork) -> Counter:
    return await Counter(new_uow).opened()


@pytest.fixture
async def real_counter(postgres_uow: NewUnitOfWork) -> Counter:
    return await Counter(postgres_uow).opened()
