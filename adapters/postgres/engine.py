"""The connection pool, configured once for API, workers and commands."""

import uuid

from advanced_alchemy.config import AsyncSessionConfig, EngineConfig, SQLAlchemyAsyncConfig
from msgspec import json
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.postgres.urls import async_url


def database_config(url: str, *, pool_size: int = 10) -> SQLAlchemyAsyncConfig:
    """Engine settings that also hold behind a transaction-pooling PgBouncer.

    Prepared statements get unique names, because the server connection may change between two
    transactions. `jit` is off: the statements are short.
    """
    return SQLAlchemyAsyncConfig(
        connection_string=async_url(url),
        session_config=AsyncSessionConfig(expire_on_commit=False, autoflush=False),
        engine_config=EngineConfig(
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text must not carry personal data into a log
            json_serializer=lambda value: json.encode(value).decode(),
            json_deserializer=json.decode,
            connect_args={
                "timeout": 5,
                "command_timeout": 60,
                "prepared_statement_name_func": lambda: f"__likeness_{uuid.uuid4()}__",
                "server_settings": {"jit": "off", "timezone": "UTC"},
            },
        ),
    )


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
