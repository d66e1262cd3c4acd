"""One leader among all processes: whoever holds a session-level advisory lock.

The lock lives as long as its connection, so a dead leader is followed within seconds and nobody
has to trust a clock. The connection is this object's own and must reach the server itself, not
through a pooler that shares server sessions between transactions (PgBouncer in transaction mode):
give it the direct URL.
"""

import asyncio
import contextlib
import zlib

import asyncpg

from adapters.postgres.urls import driver_url

_NAMESPACE = 0x4C4B  # separates these locks from other users of advisory locks in the database

# The last is what the driver says of a connection that the server ended at this very moment.
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgresLeadership:
    """See `application.ports.schedule.Leadership`. `name` is what is led."""

    def __init__(self, direct_url: str, *, name: str, timeout_s: float = 5.0) -> None:
        self._dsn = driver_url(direct_url)
        self._key = zlib.crc32(name.encode()) - 2**31  # the server takes a signed 32-bit integer
        self._timeout_s = timeout_s
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._held = False

    async def try_take(self) -> bool:
        if self._held:
            return await self.still_held()
        try:
            connection = await self._connected()
            self._held = bool(
                await connection.fetchval(
                    "SELECT pg_try_advisory_lock($1, $2)", _NAMESPACE, self._key
                )
            )
        except _LOST:
            await self.give_up()
        return self._held

    async def still_held(self) -> bool:
        """Asks the server, so that a connection that died silently is noticed too."""
        if self._connection is None or not self._held:
            return False
        try:
            await self._connection.fetchval("SELECT 1")
        except _LOST:
            await self.give_up()
        return self._held

    async def give_up(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is None:
            return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(connection.close(), self._timeout_s)
            return
        connection.terminate()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn, timeout=self._timeout_s, command_timeout=self._timeout_s
            )
        return self._connection
