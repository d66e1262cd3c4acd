"""Which port to listen on: the one that was asked for, or one that is free.

Between the choice and the moment when the server listens, seconds pass; two checkouts that start
together would choose the same. So a choice is reserved for the life of the chooser.
"""

import socket
import tempfile
from pathlib import Path
from typing import Final

from entrypoints.local.errors import LocalError
from entrypoints.local.locks import FileLock

FIRST_CHOICE: Final = 8000
_NEIGHBOURS: Final = 20
_reservations: Final[list[FileLock]] = []


def choose_port(host: str, wanted: int, *, variable: str) -> int:
    """`wanted` 0 means any. Raises `LocalError` when the port that was asked for is taken."""
    if wanted:
        if not is_free(host, wanted):
            raise LocalError(
                f"Port {wanted} on {host} is taken by another program; stop that program, set "
                f"{variable} to another port, or set it to 0 to have a free one chosen."
            )
        return wanted
    for port in range(FIRST_CHOICE, FIRST_CHOICE + _NEIGHBOURS):
        if is_free(host, port) and _reserve(port):
            return port
    return any_free_port(host)


def _reserve(port: int) -> bool:
    lock = FileLock(Path(tempfile.gettempdir()) / f"likeness-port-{port}.lock")
    try:
        reserved = lock.try_alone()
    except PermissionError:  # another account's
        return False
    if reserved:
        _reservations.append(lock)
    return reserved


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there; a port left a second ago counts as free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except PermissionError:
            raise LocalError(
                f"Port {port} needs more rights than this account has; choose one above 1023."
            ) from None
        except OSError:
            return False
    return True


def any_free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
