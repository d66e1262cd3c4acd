"""Faults on demand: what a provider does on its bad days, switched on over HTTP.

A route asks `apply` before it acts. Slowness happens there; everything else is handed back, for the
route knows how its provider words a refusal and what it has already done by then.
"""

import asyncio
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from litestar.types import Receive, Scope, Send

Kind = Literal[
    "latency", "status", "timeout_after_acceptance", "refuse", "flag", "garbage", "silence"
]


class Failure(msgspec.Struct, kw_only=True):
    """One fault. `operation` is a pattern (`POST /v1/transfers*`); `times` None: until cleared.

    latency: answers `latency_ms` later. status: answers `status`, does nothing. refuse: understood
    and declined. timeout_after_acceptance: acts, waits `latency_ms`, then cuts the connection.
    Of work under way (`RUN *`): flag: what it makes is marked unsafe. garbage: what it makes is
    none of it, see `garbage.py` for what `message` may be. silence: nobody is called back.
    `retry_after_s` is told with a 429.
    """

    provider: str
    kind: Kind
    operation: str = "*"
    times: int | None = None
    latency_ms: int = 0
    status: int = 500
    message: str = ""
    retry_after_s: int = 1

    def concerns(self, provider: str, operation: str) -> bool:
        return (
            self.provider in ("*", provider)
            and (self.times is None or self.times > 0)
            and fnmatchcase(operation, self.operation)
        )


class Failures:
    """The faults that are switched on, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Failure] = []

    def arm(self, failure: Failure) -> None:
        self._armed.append(failure)

    def clear(self) -> None:
        self._armed.clear()

    def armed(self) -> list[Failure]:
        return [failure for failure in self._armed if failure.times is None or failure.times > 0]

    async def apply(self, provider: str, operation: str) -> Failure | None:
        """Spend latency here; answer the first other fault for this call, or None.

        A `times` is used up by each call that the fault concerns.
        """
        found: Failure | None = None
        for failure in self._armed:
            if found is not None and failure.kind != "latency":
                continue
            if not failure.concerns(provider, operation):
                continue
            if failure.times is not None:
                failure.times -= 1
            if failure.kind == "latency":
                await asyncio.sleep(failure.latency_ms / 1000)
            else:
                found = failure
        return found

    async def hang(self, failure: Failure) -> None:
        await asyncio.sleep(failure.latency_ms / 1000)


class ConnectionCut:
    """An answer that never arrives: headers promise a body, then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        raise ConnectionResetError("cut on purpose")
