"""Real servers for the tests: one PostgreSQL and one Redis, a database in each per test process.

The servers run while any test process needs them, so several runs (and the workers of one run)
share them. A process takes the lowest free *slot*; its databases follow from the number. The schema
is migrated once into a template, named by a hash of what it is made from, and copied from there.
"""

import asyncio
import concurrent.futures
import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from entrypoints.local.locks import FileLock, alone
from entrypoints.local.postgres import EmbeddedPostgres
from entrypoints.local.redis import DATABASES, EmbeddedRedis
from entrypoints.local.server import make_folder

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".likeness" / "test"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`url` names the maintenance database and has no driver in it."""

    url: str

    def url_of(self, database: str, *, driver: str = "") -> str:
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(scheme=f"postgresql{driver}", path=f"/{database}"))


@dataclass(slots=True)
class Slot:
    number: int
    lock: FileLock


def take_slot() -> Slot:
    make_folder(FOLDER)
    for number in range(DATABASES):
        lock = FileLock(FOLDER / f"slot-{number}.lock")
        if lock.try_alone():
            return Slot(number, lock)
    raise RuntimeError(f"{DATABASES} test processes run in this checkout already")


def embedded_postgres() -> EmbeddedPostgres:
    return EmbeddedPostgres(FOLDER / "postgres", durable=False, max_connections=200)


def embedded_redis() -> EmbeddedRedis:
    return EmbeddedRedis(FOLDER / "redis")


def fresh_database(server: PostgresServer, *, name: str) -> None:
    """An empty database with the present schema; what was there under the name is dropped."""
    template = f"likeness_template_{_schema_hash()}"

    async def copy() -> None:
        connection: Connection = await asyncpg.connect(server.url)
        try:
            if not await _exists(connection, template):
                await _build_template(connection, server, template)
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()

    with alone(FOLDER / "template.lock"):
        run_apart(copy)


async def _exists(connection: Connection, database: str) -> bool:
    query = "SELECT count(*) FROM pg_database WHERE datname = $1"
    return bool(await connection.fetchval(query, database))


async def _build_template(connection: Connection, server: PostgresServer, template: str) -> None:
    outdated = await connection.fetch(
        "SELECT datname FROM pg_database WHERE datname LIKE 'likeness\\_template\\_%'"
    )
    for row in outdated:
        await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    from adapters.postgres import migrate  # a second of imports which only a new schema needs

    building = "likeness_template_building"
    await connection.execute(f'DROP DATABASE IF EXISTS "{building}"')
    await connection.execute(f'CREATE DATABASE "{building}"')
    await asyncio.to_thread(migrate.upgrade, server.url_of(building, driver="+asyncpg"))
    await connection.execute(f'ALTER DATABASE "{building}" RENAME TO "{template}"')


def _schema_hash() -> str:
    """Changes whenever a file changes that may take part in the schema."""
    digest = hashlib.sha256()
    for folder in ("adapters/postgres", "domain"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def run_apart(work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine to its end in a thread of its own, whatever loop the tests use."""

    async def main() -> None:
        await work()

    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(main())).result()


class Sweeper:
    """Empties the tables which a test has filled, and leaves those alone which the migrations fill.

    Row deletion with all triggers off beats TRUNCATE (which makes new files for every table) and a
    new copy of the template; it passes by the triggers that make tables append-only, and needs no
    order among foreign keys.
    """

    def __init__(self, connection: Connection, sweep: str) -> None:
        self._connection = connection
        self._sweep = sweep

    @classmethod
    async def of(cls, url: str) -> "Sweeper":
        connection: Connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        tables = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        steps = []
        for (name,) in tables:
            if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {name})"):
                steps.append(f"IF EXISTS (SELECT FROM {name}) THEN DELETE FROM {name}; END IF;")
        await connection.execute(
            "CREATE FUNCTION pg_temp.sweep() RETURNS void LANGUAGE plpgsql AS "
            f"$$ BEGIN {' '.join(steps)} END $$"
        )
        return cls(connection, "SELECT pg_temp.sweep()")

    async def sweep(self) -> None:
        await self._connection.execute(self._sweep)

    async def close(self) -> None:
        await self._connection.close()


def given_postgres() -> PostgresServer | None:
    """The server named by the environment instead of the embedded one; its user is a superuser."""
    url = os.environ.get("LIKENESS_TEST_DATABASE_URL")
    return PostgresServer(url.replace("+asyncpg", "")) if url else None


def given_redis(slot: Slot) -> str | None:
    url = os.environ.get("LIKENESS_TEST_REDIS_URL")
    return urlunsplit(urlsplit(url)._replace(path=f"/{slot.number}")) if url else None
