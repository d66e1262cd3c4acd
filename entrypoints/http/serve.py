"""Run the API under granian: a supervisor process and `workers` processes that serve.

A stopping server takes no new connections and lets requests under way finish, for `drain_s`
seconds at most. The factory runs in each worker, so it is named and not passed.
"""

import errno
import resource
import socket
from contextlib import suppress

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from entrypoints.http.settings import HttpSettings

BACKLOG = 2048


class PortTaken(Exception):
    """Another program listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} is taken by another program. Stop it, or set another port."
        )


def serve(settings: HttpSettings, *, factory: str) -> None:
    """Serve until SIGTERM or SIGINT. `factory` is `module:function`, answering the ASGI app.

    Raises PortTaken.
    """
    ensure_port_free(settings.host, settings.port)
    raise_file_limit()
    Server(
        factory,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=settings.workers,
        loop=Loops.uvloop,
        backlog=BACKLOG,
        workers_kill_timeout=settings.drain_s,
        log_level=LogLevels.warning,
    ).serve()


def raise_file_limit() -> int:
    """Let this process and those it starts open as many files as the system allows: each live
    connection is one. Answers how many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def ensure_port_free(host: str, port: int) -> None:
    """Raise PortTaken when somebody listens there: two servers would silently share the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(host, port) from None
            raise
