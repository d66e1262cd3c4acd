"""The fixtures which everybody's tests stand on."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import redis.asyncio

from tests import infrastructure
from tests.infrastructure import Connection, PostgresServer, Slot, Sweeper


@pytest.fixture
async def scratch_database(postgres_server: PostgresServer, slot: Slot) -> AsyncIterator[str]:
    """A database with a table that refuses deletion, one that refers to it, and a filled one."""
    name = f"likeness_scratch_{slot.number}"
    admin: Connection = await asyncpg.connect(postgres_server.url)
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await admin.execute(f'CREATE DATABASE "{name}"')
    connection: Connection = await asyncpg.connect(postgres_server.url_of(name))
    await connection.execute(
        """
        CREATE TABLE entry (id int PRIMARY KEY) ;
        CREATE TABLE reading (entry_id int NOT NULL REFERENCES entry);
        CREATE TABLE plan (code text); INSERT INTO plan VALUES ('free');
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'append only'; END $$;
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON entry EXECUTE FUNCTION refuse();
        """
    )
    await connection.close()
    yield postgres_server.url_of(name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def test_sweeping_empties_even_append_only_tables_but_not_those_of_the_migrations(
    scratch_database: str,
) -> None:
    sweeper = await Sweeper.of(scratch_database)
    connection: Connection = await asyncpg.connect(scratch_database)
    await connection.execute("INSERT INTO entry VALUES (1); INSERT INTO reading VALUES (1)")
    with pytest.raises(asyncpg.RaiseError, match="append only"):
        await connection.execute("DELETE FROM entry")

    await sweeper.sweep()

    counts = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM reading),"
        " (SELECT count(*) FROM plan)"
    )
    assert counts is not None
    assert tuple(counts) == (0, 0, 1)
    await connection.close()
    await sweeper.close()


async def test_two_test_processes_never_share_a_slot(slot: Slot) -> None:
    other = infrastructure.take_slot()
    try:
        assert other.number != slot.number
    finally:
        other.lock.let_go()


async def test_the_database_is_postgresql_18(clean_database: str) -> None:
    connection: Connection = await asyncpg.connect(clean_database.replace("+asyncpg", ""))
    assert (await connection.fetchval("SHOW server_version")).startswith("18")
    await connection.close()


async def test_a_clean_redis_holds_no_key(clean_redis: str) -> None:
    async with redis.asyncio.from_url(clean_redis) as client:
        assert await client.dbsize() == 0
        await client.set("left", "behind")


async def test_a_clean_redis_forgets_the_test_before(clean_redis: str) -> None:
    async with redis.asyncio.from_url(clean_redis) as client:
        assert await client.dbsize() == 0
