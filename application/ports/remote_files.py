"""Downloads of files that a provider names: results and weights, copied into our own storage."""

from typing import Protocol

from domain.shared.errors import LikenessError


class RemoteFileRefused(LikenessError):
    """We will not take this file: its address is not allowed, it is too large, or it is not there.

    `reason` is one of `address`, `too_large`, `missing`.
    """

    code = "remote_file_refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


class RemoteFiles(Protocol):
    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """The whole file, at most `max_bytes` of it. Redirects are not followed.

        Raises RemoteFileRefused (permanent) or Unavailable (worth another try).
        """
        ...
