"""The connection pool, configured once for API, workers and commands."""

import time
import uuid
from typing import Any

from msgspec import json
from sqlalchemy import AsyncAdaptedQueuePool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.postgres.urls import async_url
from application.ports.errors import Unavailable

_TRUSTED_IDLE_S = 10.0
_RETRY_AFTER_S = 2.0


class _Pool(AsyncAdaptedQueuePool):
    """Says in our words that there was no connection to be had: who asked may ask again."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except PoolTimeout as late:
            raise Unavailable(
                "Every connection to the database is in use.",
                provider="database",
                retry_after_s=_RETRY_AFTER_S,
            ) from late


def open_engine(url: str, *, pool_size: int = 20, wait_s: float = 10) -> AsyncEngine:
    """A pool whose settings also hold behind a transaction-pooling PgBouncer. Who waits longer than
    `wait_s` for one of its connections is told Unavailable.

    Prepared statements get unique names, because the server connection may change between two
    transactions. `jit` is off: the statements are short. What was opened stays open, since under a
    steady load connections beyond a core would be made and closed all the time; the last one used
    is the next one used, and knows its statements already.
    """
    engine = create_async_engine(
        async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        poolclass=_Pool,
        pool_timeout=wait_s,
        hide_parameters=True,  # an error's text must not carry personal data into a log
        json_serializer=lambda value: json.encode(value).decode(),
        json_deserializer=json.decode,
        connect_args={
            "timeout": 5,
            "command_timeout": 60,
            "prepared_statement_name_func": lambda: f"__likeness_{uuid.uuid4()}__",
            "server_settings": {"jit": "off", "timezone": "UTC"},
        },
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _require_alive)
    return engine


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


def _note_use(_: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _require_alive(connection: Any, record: Any, _: Any) -> None:
    """Have a lost connection replaced before it is used.

    The pool's own check takes three round trips every time, which doubles a short read. The
    driver knows of a server that has gone; only one that went without a word must be asked.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
    idle_s = time.monotonic() - record.info.get("used_at", time.monotonic())
    if idle_s > _TRUSTED_IDLE_S:
        try:
            connection.ping()
        except Exception as error:
            raise DisconnectionError from error
