"""The keys of the encrypted columns, and what looks after them without the other ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.postgres.column_keys import PostgresColumnKeys
from adapters.postgres.encrypted import use_keys
from adapters.postgres.engine import open_engine
from application.ports.column_keys import ColumnKeys
from entrypoints.settings import Settings


def use_settings_keys(settings: Settings) -> None:
    keys = [key.reveal() for key in settings.secret_keys]
    use_keys(lambda: keys)


@asynccontextmanager
async def open_column_keys(settings: Settings) -> AsyncIterator[ColumnKeys]:
    """For the doctor, who looks at one thing while others may be broken."""
    use_settings_keys(settings)
    engine = open_engine(settings.database_url, pool_size=1)
    try:
        yield PostgresColumnKeys(engine)
    finally:
        await engine.dispose()
