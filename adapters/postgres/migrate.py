"""Bring a database to the present schema, or back."""

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine

from adapters.postgres import schema
from adapters.postgres.engine import async_url
from adapters.postgres.metadata import metadata


def upgrade(url: str) -> None:
    asyncio.run(_create_all(url))


async def _create_all(url: str) -> None:
    engine = create_async_engine(async_url(url))
    async with engine.begin() as connection:
        for statement in schema.FUNCTIONS:
            await connection.exec_driver_sql(statement)
        await connection.run_sync(metadata.create_all)
        for statement in schema.STATEMENTS:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
