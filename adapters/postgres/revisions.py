"""Which schema a database has, and which is the newest, without the seconds that Alembic takes.

The file of a migration begins with its revision: `0001_first_schema.py`.
"""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg

from adapters.postgres.urls import driver_url

VERSION_TABLE: Final = "schema_version"
SCRIPTS: Final = Path(__file__).parent / "migrations"


def newest() -> str:
    """The revision that this code needs."""
    return max(path.name.split("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """The revision that the database has; None before the first. Not from within a loop."""
    return asyncio.run(_current(url))


async def _current(url: str) -> str | None:
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(driver_url(url))
    try:
        found = await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return str(found) if found else None
