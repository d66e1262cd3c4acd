"""What the doctor found of one thing, and why it could not be reached, in a person's words."""

import errno
import socket
from dataclasses import dataclass
from typing import Final

PATIENCE_S: Final = 20.0
_REASONS: Final = {
    errno.ECONNREFUSED: "nothing listens at this address",
    errno.EHOSTUNREACH: "there is no way to this machine",
    errno.ENETUNREACH: "there is no way to this network",
    errno.ENOENT: "there is no such socket",
}


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    ok: bool
    detail: str


def words_of(error: BaseException) -> str:
    """The reason in a person's words where it has one, else the driver's own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "no machine of this name is known"
        if isinstance(cause, OSError) and cause.errno in _REASONS:
            return _REASONS[cause.errno]
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}".rstrip(": ")
