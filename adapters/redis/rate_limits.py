"""Rate limits as sliding windows in Redis, each decided by one script, so that no race is possible.

Two fixed windows are counted, and the earlier one weighs as much as it still overlaps with the
last `window_s` seconds. That keeps two numbers per subject instead of every instant. It assumes
that the earlier window's requests came evenly: a burst at its end may be let through a little
too soon, never twice the permits at a boundary as with fixed windows.
"""

from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from application.ports.clock import Clock
from application.ports.errors import Unavailable
from application.ports.rate_limits import Allowance, RateLimit

_TAKE = """
local permits, window_ms, now_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local index = math.floor(now_ms / window_ms)
local into = now_ms - index * window_ms
local counted = redis.call('HMGET', KEYS[1], index, index - 1)
local current, previous = tonumber(counted[1] or 0), tonumber(counted[2] or 0)
local used = current + previous * (window_ms - into) / window_ms
if used + 1 > permits then
  local wait = window_ms - into
  if current + 1 <= permits then
    wait = window_ms * (1 - (permits - 1 - current) / previous) - into
  elseif permits > 0 then
    wait = wait + window_ms * (1 - (permits - 1) / current)
  end
  return {0, 0, math.ceil(wait / 1000)}
end
redis.call('HINCRBY', KEYS[1], index, 1)
redis.call('HDEL', KEYS[1], index - 2)
redis.call('PEXPIRE', KEYS[1], 2 * window_ms)
return {1, math.floor(permits - used - 1), math.ceil((window_ms - into) / 1000)}
"""


class RedisRateLimits:
    """See `application.ports.rate_limits.RateLimits`. Give it a client with short timeouts."""

    def __init__(self, redis: Redis, *, clock: Clock) -> None:
        self._take = redis.register_script(_TAKE)
        self._clock = clock

    async def take(self, limit: RateLimit, subject: str) -> Allowance:
        now_ms = int(self._clock.now().timestamp() * 1000)
        try:
            answer = await self._take(
                keys=[f"rate:{limit.name}:{subject}"],
                args=[limit.permits, limit.window_s * 1000, now_ms],
            )
        except (RedisError, OSError) as error:
            raise Unavailable("The rate counters cannot be reached.", provider="redis") from error
        allowed, remaining, reset_s = cast("list[int]", answer)
        return Allowance(bool(allowed), remaining, max(1, reset_s))
