"""Connections that PostgreSQL has closed meanwhile are replaced before anybody uses them, and who
gets none is told so."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from adapters.postgres.engine import open_engine
from application.ports.errors import Unavailable


async def test_a_connection_that_the_server_has_ended_is_replaced(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        backend = await connection.scalar(text("SELECT pg_backend_pid()"))

    await _end(database_url, backend)

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != backend
    await engine.dispose()


async def test_a_connection_that_is_well_is_used_again(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        first = await connection.scalar(text("SELECT pg_backend_pid()"))
    async with engine.connect() as connection:
        second = await connection.scalar(text("SELECT pg_backend_pid()"))
    assert first == second
    await engine.dispose()


async def test_who_finds_no_connection_free_may_ask_again(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1, wait_s=0.05)
    async with engine.connect():
        with pytest.raises(Unavailable) as refused:
            await engine.connect().start()
    assert (refused.value.provider, refused.value.retry_after_s) == ("database", 2)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def _end(database_url: str, backend: int) -> None:
    operator = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await operator.execute("SELECT pg_terminate_backend($1)", backend)
    await operator.close()
    await asyncio.sleep(0.1)  # the end of a connection is news that travels
