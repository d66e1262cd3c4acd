"""Which failures are told as a sentence: those that an operator can do something about."""

import socket
import sys

from domain.shared.errors import LikenessError
from entrypoints.local.errors import LocalError
from entrypoints.settings import SettingsError

_UNREACHABLE = (
    ("asyncpg", "PostgresError", "PostgreSQL refused"),
    ("asyncpg", "InterfaceError", "PostgreSQL refused"),
    ("redis.exceptions", "ConnectionError", "Redis does not answer"),
    ("alembic.util.exc", "CommandError", "The database and this version do not fit"),
    ("httpx", "TransportError", "The server does not answer"),
)


def explain(error: BaseException) -> list[str] | None:
    """The lines to print; None for what is a fault of ours and deserves its traceback."""
    if isinstance(error, SettingsError):
        return [*error.problems, "`docs/settings.md` explains every setting."]
    if isinstance(error, LocalError):
        return [str(error)]
    if isinstance(error, LikenessError):
        return [error.message]
    cause = _root(error)
    if type(cause).__name__ == "UndefinedTableError":
        return ["The database has no tables, or old ones; bring it up with `likeness migrate up`."]
    for module, name, words in _UNREACHABLE:
        known = getattr(sys.modules.get(module), name, None)
        if known is not None and isinstance(cause, known):
            return [f"{words} ({_words(cause)}). `likeness doctor` looks closer."]
    if isinstance(cause, ConnectionError | TimeoutError) and not isinstance(cause, BrokenPipeError):
        return [f"A server does not answer ({_words(cause)}). `likeness doctor` looks closer."]
    if isinstance(cause, socket.gaierror):
        return ["A server's name is not known to this machine. `likeness doctor` looks closer."]
    if isinstance(cause, PermissionError):
        return [f"No right to use {cause.filename}; give this account the right to."]
    return None


def _root(error: BaseException) -> BaseException:
    """Drivers wrap what happened: SQLAlchemy keeps it in `orig`, others in the cause."""
    while inner := getattr(error, "orig", None) or error.__cause__:
        error = inner
    return error


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
