"""Where the benchmarks run: a durable PostgreSQL and a Redis of their own, and processes on top.

fsync stays on, as in production. The folder is kept between runs, the data is not.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from adapters.postgres import migrate
from entrypoints.local.ports import any_free_port
from entrypoints.local.postgres import EmbeddedPostgres
from entrypoints.local.redis import EmbeddedRedis
from entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".likeness" / "bench"
WEBHOOK_SECRET = "whsec_of_the_benchmarks"
_READY_S = 30.0


@dataclass(frozen=True, slots=True)
class Ground:
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    environ: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        return Settings.load(self.environ)

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self.postgres.plain_url)

    @contextlib.contextmanager
    def process(self, *argv: str, ready_url: str = "", **environ: str) -> Iterator[int]:
        """A Python process of the product's or of ours while the block runs; answers its id."""
        started = subprocess.Popen(
            [sys.executable, *argv],
            cwd=ROOT,
            env={**without_compiling(), **self.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=(FOLDER / "processes.log").open("ab"),
            start_new_session=True,
        )
        try:
            if ready_url:
                _await(ready_url, started)
            yield started.pid
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(15)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def likeness(self, command: str, **environ: str) -> Iterator[int]:
        with self.process("-m", "entrypoints.cli.main", command, **environ) as pid:
            yield pid

    @contextlib.contextmanager
    def api(self, port: int = 0, **environ: str) -> Iterator[int]:
        """The API in one process; answers its port."""
        port = port or any_free_port()
        with self.process(
            *("-m", "entrypoints.cli.main", "api"),
            ready_url=f"http://127.0.0.1:{port}/health/ready",
            LIKENESS_PORT=str(port),
            LIKENESS_BASE_URL=f"http://127.0.0.1:{port}",
            **environ,
        ):
            yield port

    @contextlib.contextmanager
    def sandbox(self) -> Iterator[str]:
        """Plays the providers; answers its address."""
        port = any_free_port()
        address = f"http://127.0.0.1:{port}"
        with self.process(
            *("-m", "entrypoints.sandbox", "--port", str(port)),
            ready_url=f"{address}/control/health",
        ):
            yield address

    @contextlib.contextmanager
    def bare(self) -> Iterator[int]:
        """The handlers that ours are compared with, under the same server; answers their port."""
        port = any_free_port()
        with self.process(
            *("-m", "tests.benchmarks.bare", str(port)),
            ready_url=f"http://127.0.0.1:{port}/constant",
            BARE_DATABASE_URL=self.postgres.plain_url,
        ):
            yield port


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    """Servers up, schema fresh, until the block ends."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        EmbeddedPostgres(FOLDER / "postgres") as postgres,
        EmbeddedRedis(FOLDER / "redis") as redis,
    ):
        postgres.run_sql(f'DROP DATABASE IF EXISTS "{postgres.database}" WITH (FORCE)')
        postgres.run_sql(f'CREATE DATABASE "{postgres.database}"')
        migrate.upgrade(postgres.url)
        environ = {
            "LIKENESS_DATA_DIR": str(FOLDER),
            "LIKENESS_DATABASE_URL": postgres.plain_url,
            "LIKENESS_REDIS_URL": redis.url,
            "LIKENESS_STRIPE_SECRET_KEY": "sk_test_of_the_benchmarks",
            "LIKENESS_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "LIKENESS_STRIPE_CONNECT_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "LIKENESS_STRIPE_API_BASE": "http://127.0.0.1:9",
            "LIKENESS_SANDBOX_URL": "http://127.0.0.1:9",
            "LIKENESS_RATE_LIMITS": "off",
            "LIKENESS_LOG_FORMAT": "json",
        }
        yield Ground(postgres, redis, environ)


def without_compiling() -> dict[str, str]:
    """The environment, with bytecode kept from one process to the next, as `make` has it."""
    return {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, urllib.error.URLError), opener.open(url, timeout=2):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{url} never answered; see {FOLDER / 'processes.log'}")
