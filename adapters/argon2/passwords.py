"""Argon2id in a few threads of its own.

The parameters are those that OWASP's Password Storage Cheat Sheet puts first. Each check takes its
19 MiB for some tens of milliseconds, so the number of threads bounds the memory and the number of
waiting checks bounds the delay: a storm of sign-ins is refused, not queued without end.
"""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError

from application.ports.identity import HashingBusy

R = TypeVar("R")

OWASP = argon2.Parameters(
    type=argon2.Type.ID,
    version=19,
    salt_len=16,
    hash_len=32,
    time_cost=2,
    memory_cost=19_456,  # KiB
    parallelism=1,
)


class Argon2PasswordHasher:
    """See `application.ports.identity.PasswordHasher`."""

    def __init__(
        self,
        *,
        parameters: argon2.Parameters = OWASP,
        threads: int = 2,
        max_waiting: int = 32,
    ) -> None:
        self._argon2 = argon2.PasswordHasher.from_parameters(parameters)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._max_pending = threads + max_waiting
        self._pending = 0
        self._nobodys_hash = unmatchable_hash(parameters)

    async def hash(self, password: str) -> str:
        return await self._apart(lambda: self._argon2.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        against = self._nobodys_hash if password_hash is None else password_hash
        return await self._apart(lambda: self._matches(password, against))

    def needs_rehash(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password: str, password_hash: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _apart(self, work: Callable[[], R]) -> R:
        if self._pending >= self._max_pending:
            raise HashingBusy
        self._pending += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        done.add_done_callback(self._one_less)
        return await done

    def _one_less(self, _: object) -> None:
        self._pending -= 1


def unmatchable_hash(parameters: argon2.Parameters) -> str:
    """A hash of nothing in particular, which costs as much to check as a real one."""
    costs = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    return "$".join(
        [
            "",
            "argon2id",
            f"v={parameters.version}",
            costs,
            _unpadded(secrets.token_bytes(parameters.salt_len)),
            _unpadded(secrets.token_bytes(parameters.hash_len)),
        ]
    )


def _unpadded(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")
