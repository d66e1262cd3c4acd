"""A nudge from whoever commits messages to whoever sends them on. Best effort, both ways.

The nudge is one element in a list, so that it waits for a relay that is busy, wakes exactly one,
and many nudges are no more than one. Without Redis the relays find the rows by looking.
"""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

_KEY = "messages:wake"
_KEPT_S = 5
_QUIET_S = 1.0
_APART_S = 0.01


class RedisWake:
    """See `application.ports.messages.Wake`.

    The first nudge goes out at once; those of the next hundredth of a second become one more.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wanted = False
        self._sending: asyncio.Task[None] | None = None
        self._quiet_until = 0.0

    def wake(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._quiet_until:
            return
        self._wanted = True
        if self._sending is None:
            self._sending = loop.create_task(self._send())

    async def aclose(self) -> None:
        """Wait for a nudge that is under way; the client stays its owner's to close."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.lpush(_KEY, 1)
                    pipe.ltrim(_KEY, 0, 0)
                    pipe.expire(_KEY, _KEPT_S)
                    await pipe.execute()
                await asyncio.sleep(_APART_S)
        except (RedisError, OSError):
            self._quiet_until = asyncio.get_running_loop().time() + _QUIET_S
        finally:
            self._sending = None


class RedisWakeListener:
    """See `application.ports.messages.WakeListener`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def wait(self, timeout_s: float) -> bool:
        started = asyncio.get_running_loop().time()
        try:
            return await self._redis.blpop([_KEY], timeout=timeout_s) is not None
        except (RedisError, OSError):
            passed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(timeout_s - passed, 0))
            return False
