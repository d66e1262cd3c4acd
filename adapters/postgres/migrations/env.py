"""Runs migrations on one connection, one migrator at a time, never waiting long for a lock."""

import asyncio
from typing import cast

from advanced_alchemy.alembic.commands import AlembicCommandConfig
from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import schema  # noqa: F401 - the metadata has its tables then
from adapters.postgres.metadata import metadata

_CONFIG = cast("AlembicCommandConfig", context.config)
_ONE_AT_A_TIME = 0x11CE7E55


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        version_table=_CONFIG.version_table_name,
    )
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        context.run_migrations()


async def _online() -> None:
    engine = cast("AsyncEngine", _CONFIG.engine)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_online())
