"""What `likeness doctor` looks at. A check never raises: it finds, and says what to do.

The processes that serve look at their servers in the same way before they start.
"""

import asyncio
import errno
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from application.ports.column_keys import KeyCount
from entrypoints.cli import credential_checks, provider_checks
from entrypoints.cli.finding import PATIENCE_S, Finding, words_of
from entrypoints.local.errors import LocalError
from entrypoints.local.ports import is_free
from entrypoints.local.supervisor import running_stack
from entrypoints.settings import Settings
from entrypoints.settings_values import FileStorageLocation, S3StorageLocation, Secret

_START_POLL_S: Final = 0.5
_FREE_BYTES_NEEDED: Final = 1_000_000_000
_POSTGRES_VERSIONS: Final = range(15, 19)
_OLDEST_REDIS: Final = (6, 2)


async def examine(settings: Settings, *, given: Settings) -> list[Finding]:
    """`settings` have embedded servers filled in, `given` are as the operator wrote them."""
    checks: dict[str, Callable[[], Awaitable[Finding]]] = {
        "data folder": lambda: asyncio.to_thread(_data_folder, settings.data_dir),
        "PostgreSQL": lambda: _postgres(settings, embedded=not given.database_url),
        "keys": lambda: _keys(settings),
        "Redis": lambda: _redis(settings, embedded=not given.redis_url),
        "storage": lambda: asyncio.to_thread(_storage, settings),
        "credentials": lambda: asyncio.to_thread(credential_checks.certificate, settings),
        "port": lambda: asyncio.to_thread(_port, given),
        "Stripe": lambda: provider_checks.stripe(settings),
        "Replicate": lambda: provider_checks.replicate(settings),
        "fal": lambda: provider_checks.fal(settings),
        "OpenAI": lambda: provider_checks.openai(settings),
        "ffmpeg": lambda: _ffmpeg(settings),
        "FlowPay": lambda: provider_checks.flowpay(settings),
        "Plaid": lambda: provider_checks.plaid(settings),
    }

    async def run(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
        try:
            return await asyncio.wait_for(check(), PATIENCE_S)
        except TimeoutError:
            return Finding(name, False, f"no answer within {PATIENCE_S:g} s; is it reachable?")

    settings_fine = Finding("settings", True, f"complete for {settings.env}")
    found = await asyncio.gather(*(run(name, check) for name, check in checks.items()))
    return [settings_fine, *found]


async def require_servers(given: Settings, *, patience_s: float = 10.0) -> None:
    """Wait for the servers that the operator named for some seconds: they may be starting too.

    Raises LocalError with what is wrong and what to do.
    """
    deadline = time.monotonic() + patience_s
    while True:
        found: list[Finding] = []
        if given.database_url:
            found.append(await _postgres(given, embedded=False))
        if given.redis_url:
            found.append(await _redis(given, embedded=False))
        failed = [finding for finding in found if not finding.ok]
        if not failed:
            return
        if time.monotonic() > deadline:
            raise LocalError("\n".join(f"{at.name}: {at.detail}." for at in failed))
        await asyncio.sleep(_START_POLL_S)


async def _ffmpeg(settings: Settings) -> Finding:
    """It is found, runs, and can be fenced in."""
    from application.ports.errors import Unavailable
    from entrypoints.bootstrap_engines import video_processor

    try:
        version = await video_processor(settings).version()
    except Unavailable as error:
        hint = "install 6.1 or newer, or leave LIKENESS_FFMPEG_PATH empty"
        return Finding("ffmpeg", False, f"{str(error).rstrip('.')}; {hint}")
    return Finding("ffmpeg", True, version)


def _data_folder(folder: Path) -> Finding:
    name = "data folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding(name, False, f"{folder}: {error.strerror}; set LIKENESS_DATA_DIR")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(name, False, f"{folder} is not writable; change its rights or set another")
    return _with_free_space(name, folder)


def _with_free_space(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    enough = free >= _FREE_BYTES_NEEDED
    advice = "" if enough else "; make room, 1 GB is the least"
    return Finding(name, enough, f"{folder}, {free / 1e9:.1f} GB free{advice}")


async def _postgres(settings: Settings, *, embedded: bool) -> Finding:
    import asyncpg

    name = "PostgreSQL"
    try:
        connection = await asyncpg.connect(settings.database_url.replace("+asyncpg", ""), timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(name, False, f"{words_of(error)}; check LIKENESS_DATABASE_URL")
    try:
        version = str(await connection.fetchval("SHOW server_version"))
        has_tables = await connection.fetchval("SELECT to_regclass('users') IS NOT NULL")
    finally:
        await connection.close()
    return judge_postgres(version, has_tables=has_tables, embedded=embedded)


def judge_postgres(version: str, *, has_tables: bool, embedded: bool) -> Finding:
    """`version` as the server says it, such as `18.4` or `17.2 (Debian 17.2-1)`."""
    if _numbers(version)[0] not in _POSTGRES_VERSIONS:
        advice = "use one from 15 to 18: set LIKENESS_DATABASE_URL"
        return Finding("PostgreSQL", False, f"version {version}; {advice}")
    kind = "embedded" if embedded else "answers"
    maker = "`likeness up`" if embedded else "`likeness migrate up`"
    tables = "" if has_tables else f"; no tables yet, {maker} makes them"
    return Finding("PostgreSQL", True, f"{kind}, version {version}{tables}")


async def _keys(settings: Settings) -> Finding:
    """Whether the newest key decrypts all that is encrypted; a database that is not there, or has
    no tables, is another check's."""
    from sqlalchemy.exc import SQLAlchemyError

    from application.identity.key_rotation import needs_old_key
    from entrypoints.bootstrap_keys import open_column_keys

    try:
        async with open_column_keys(settings) as keys:
            found = await needs_old_key(keys)
    except (OSError, SQLAlchemyError):
        return Finding("keys", True, "not looked at: no database, or no tables yet")
    return judge_keys(found, of=len(settings.secret_keys))


def judge_keys(found: KeyCount | None, *, of: int) -> Finding:
    """`found` is a table with a row that the newest of `of` keys does not decrypt."""
    if found is not None and found.lost:
        advice = "put the key that is missing last in LIKENESS_SECRET_KEY"
        return Finding("keys", False, f"a row of {found.table} needs a key not given; {advice}")
    if found is not None:
        advice = "run `likeness keys rotate` before it goes"
        return Finding("keys", False, f"a row of {found.table} needs an older key; {advice}")
    older = "" if of == 1 else f"; the {of - 1} older may go when no link needs them, after 7 days"
    return Finding("keys", True, f"the newest decrypts everything{older}")


async def _redis(settings: Settings, *, embedded: bool) -> Finding:
    from redis import asyncio as redis
    from redis.exceptions import RedisError

    name = "Redis"
    try:
        async with redis.from_url(settings.redis_url, socket_connect_timeout=5) as client:
            info = await client.info("server")
    except (OSError, RedisError) as error:
        return Finding(name, False, f"{words_of(error)}; check LIKENESS_REDIS_URL")
    return judge_redis(str(info["redis_version"]), embedded=embedded)


def judge_redis(version: str, *, embedded: bool) -> Finding:
    """`version` of the protocol: Valkey says the Redis that it is compatible with."""
    if _numbers(version) < _OLDEST_REDIS:
        advice = "use 6.2 or newer: set LIKENESS_REDIS_URL"
        return Finding("Redis", False, f"version {version}; {advice}")
    kind = "embedded" if embedded else "answers"
    return Finding("Redis", True, f"{kind}, speaks version {version}")


def _numbers(version: str) -> tuple[int, ...]:
    """`17.2 (Debian)` and `19beta1` count as far as they are numbers."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2]) or (0,)


def _port(given: Settings) -> Finding:
    stack = running_stack(given.data_dir)
    if stack:
        return Finding("port", True, f"the stack of this checkout answers at {stack['base_url']}")
    if not given.port:
        return Finding("port", True, "8000, or the next one that is free")
    try:
        free = is_free(given.host, given.port)
    except LocalError as error:
        return Finding("port", False, str(error))
    if free:
        return Finding("port", True, f"{given.port} on {given.host} is free")
    detail = f"{given.port} on {given.host} is taken; stop what listens there, or set LIKENESS_PORT"
    return Finding("port", False, detail)


def _storage(settings: Settings) -> Finding:
    match settings.storage:
        case FileStorageLocation(folder):
            return _file_storage(folder)
        case S3StorageLocation() as location:
            return _s3_storage(settings, location)


def _file_storage(folder: Path) -> Finding:
    trial = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"likeness")
        trial.unlink()
    except OSError as error:
        cure = "make room, or set" if error.errno == errno.ENOSPC else "set"
        detail = f"{folder}: {error.strerror}; {cure} LIKENESS_STORAGE_URL"
        return Finding("storage", False, detail)
    return _with_free_space("storage", folder)


def _s3_storage(settings: Settings, location: S3StorageLocation) -> Finding:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    def revealed(secret: Secret | None) -> str | None:
        return secret.reveal() if secret else None

    client = boto3.client(
        "s3",
        region_name=location.region,
        endpoint_url=location.endpoint_url,
        aws_access_key_id=revealed(settings.s3_access_key_id),
        aws_secret_access_key=revealed(settings.s3_secret_access_key),
        config=Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    try:
        client.put_object(Bucket=location.bucket, Key=".doctor", Body=b"likeness")
        client.delete_object(Bucket=location.bucket, Key=".doctor")
    except (BotoCoreError, ClientError) as error:
        detail = f"bucket {location.bucket}: {error}; check LIKENESS_STORAGE_URL and its keys"
        return Finding("storage", False, detail)
    finally:
        client.close()
    return Finding("storage", True, f"bucket {location.bucket} takes and gives back")
