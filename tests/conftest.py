"""Fixtures that reach real servers. A test that asks for none of them starts none."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import redis.asyncio
from hypothesis import settings
from hypothesis.internal.detection import is_hypothesis_test

from adapters.postgres.encrypted import use_keys
from tests import infrastructure
from tests.infrastructure import PostgresServer, Slot, Sweeper

if TYPE_CHECKING:
    from tests.journeys.stack import Stack

DEEP_EXAMPLES = 6_000

# How long an example takes says more about the machine than about the rule.
settings.register_profile("likeness", deadline=None)
# `make test-deep`: 100,000 examples over the property tests marked `money`.
settings.register_profile("deep", deadline=None, max_examples=DEEP_EXAMPLES)
settings.load_profile("likeness")


use_keys(lambda: ["of the tests, as long as a key has to be"])
"""For encrypted columns, where no composition root has given any."""

MONEY = ("tests/domain/shared/", "tests/domain/ordering/", "tests/domain/ledger/")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the properties of money, wherever they are added."""
    for item in items:
        about_money = any(room in item.path.as_posix() for room in MONEY)
        if about_money and is_hypothesis_test(getattr(item, "function", None)):
            item.add_marker("money")


@pytest.fixture(scope="session")
def slot() -> Iterator[Slot]:
    """The number of this test process among all that run in this checkout."""
    taken = infrastructure.take_slot()
    yield taken
    taken.lock.let_go()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    if given := infrastructure.given_postgres():
        yield given
        return
    with infrastructure.embedded_postgres() as server:
        yield PostgresServer(server.url_of("postgres", driver=""))


@pytest.fixture(scope="session")
def database_url(postgres_server: PostgresServer, slot: Slot) -> str:
    """A migrated database of this test process, for SQLAlchemy. What tests leave in it, stays."""
    name = f"likeness_test_{slot.number}"
    infrastructure.fresh_database(postgres_server, name=name)
    return postgres_server.url_of(name, driver="+asyncpg")


@pytest.fixture(scope="session")
async def _sweeper(database_url: str) -> AsyncIterator[Sweeper]:
    sweeper = await Sweeper.of(database_url)
    yield sweeper
    await sweeper.close()


@pytest.fixture
async def clean_database(database_url: str, _sweeper: Sweeper) -> str:
    """The database of this test process, with nothing in it but what the migrations put there."""
    await _sweeper.sweep()
    return database_url


@pytest.fixture(scope="session")
def redis_url(slot: Slot) -> Iterator[str]:
    """A logical Redis database of this test process. Channels of publish/subscribe are shared."""
    if given := infrastructure.given_redis(slot):
        yield given
        return
    with infrastructure.embedded_redis() as server:
        yield server.url_of(slot.number)


@pytest.fixture
async def clean_redis(redis_url: str) -> str:
    """The Redis database of this test process, emptied."""
    async with redis.asyncio.from_url(redis_url) as client:
        await client.flushdb()
    return redis_url


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Stack]":
    """Everything that `likeness up` runs. Its tests share it, and trade on one market."""
    from tests.journeys.stack import running_stack  # it imports much that most tests do without

    with running_stack(
        tmp_path_factory.mktemp("stack"), MISSED_EVENTS_EVERY_S="1", RELEASE_EVERY_S="1"
    ) as running:
        yield running
