"""The migrations make what the code describes, can be taken back, and can be repeated."""

import asyncio
import sys

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.postgres import migrate, revisions
from adapters.postgres.metadata import metadata
from tests.infrastructure import PostgresServer, Slot, run_apart


@pytest.fixture
def empty_database(postgres_server: PostgresServer, slot: Slot) -> str:
    name = f"likeness_migrations_{slot.number}"

    async def remake() -> None:
        connection = await asyncpg.connect(postgres_server.url)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    run_apart(remake)
    return postgres_server.url_of(name, driver="+asyncpg")


def _difference(connection: Connection) -> list[object]:
    """Partitions belong to the table that they are parts of."""
    partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "version_table": revisions.VERSION_TABLE,
            "include_name": lambda name, kind, _: not (kind == "table" and name in partitions),
        },
    )
    return list(compare_metadata(context, metadata))


async def _drift(url: str) -> list[object]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(_difference)
    await engine.dispose()
    return found


async def test_up_down_and_up_again_ends_where_the_code_is(empty_database: str) -> None:
    assert migrate.current(empty_database) is None
    migrate.upgrade(empty_database)
    assert await _drift(empty_database) == []
    migrate.downgrade(empty_database, "base")
    assert migrate.current(empty_database) is None
    migrate.upgrade(empty_database)
    assert migrate.current(empty_database) == revisions.newest()
    assert await _drift(empty_database) == []


_UPGRADE = "import sys; from adapters.postgres.migrate import upgrade; upgrade(sys.argv[1])"


async def test_migrators_that_start_together_do_not_trip_over_each_other(
    empty_database: str,
) -> None:
    migrators = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _UPGRADE, empty_database)
        for _ in range(3)
    ]
    assert [await migrator.wait() for migrator in migrators] == [0, 0, 0]
    assert migrate.current(empty_database) == revisions.newest()
