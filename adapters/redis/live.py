"""Live events through Redis pub/sub: one connection per process, shared by all its listeners.

The reader outlives Redis. While the connection is gone the feed says so, and on the way back every
channel is subscribed again before it says otherwise.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from application.ports.live import Channel, LiveEvent

log = structlog.get_logger(__name__)

PREFIX = "live:"
KEEPALIVE = f"{PREFIX}keepalive"
RECONNECT_FIRST_S = 0.1
RECONNECT_MOST_S = 2.0
PING_EVERY_S = 10.0
CONFIRM_S = 1.0
WARN_EVERY_S = 60.0
_DECODER: msgspec.json.Decoder[LiveEvent] = msgspec.json.Decoder(LiveEvent)


def live_client(url: str) -> Redis:
    """A client that fails at once instead of trying again: who asks has another way."""
    return Redis.from_url(
        url,
        socket_connect_timeout=1,
        socket_timeout=1,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
    )


class RedisLiveEvents:
    """See `application.ports.live.LiveEvents`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._warned_at_s = float("-inf")

    async def publish(self, channel: Channel, event: LiveEvent) -> None:
        try:
            await self._redis.publish(f"{PREFIX}{channel}", msgspec.json.encode(event))
        except (RedisError, OSError) as error:
            if monotonic() - self._warned_at_s >= WARN_EVERY_S:
                self._warned_at_s = monotonic()
                log.warning("live_event_not_published", error=type(error).__name__)


class _Listeners:
    """Those of one channel; `confirmed` says that Redis sends it."""

    def __init__(self) -> None:
        self.hear: list[Callable[[LiveEvent], None]] = []
        self.confirmed = asyncio.Event()


class RedisLiveFeed:
    """See `application.ports.live.LiveFeed`. Reads from its first listener until `close`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, _Listeners] = {}
        self._pubsub: PubSub | None = None
        self._reader: asyncio.Task[None] | None = None
        self._commands = asyncio.Lock()
        self.connected = False

    async def listen(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None:
        self._ensure_reading()
        name = f"{PREFIX}{channel}"
        listeners = self._listeners.get(name)
        if listeners is None:
            listeners = self._listeners[name] = _Listeners()
            listeners.hear.append(hear)
            await self._command("subscribe", name)
        else:
            listeners.hear.append(hear)
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                await listeners.confirmed.wait()

    async def leave(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None:
        name = f"{PREFIX}{channel}"
        listeners = self._listeners[name]
        listeners.hear.remove(hear)
        if not listeners.hear:
            del self._listeners[name]
            await self._command("unsubscribe", name)

    async def close(self) -> None:
        """Stop reading and let the connection go."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    def _ensure_reading(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_for_ever(), name="live-feed")

    async def _command(self, verb: str, name: str) -> None:
        """Failures are left to the reader: it meets them too, and subscribes everything again."""
        with suppress(RedisError, OSError):
            async with self._commands:
                if self.connected and self._pubsub is not None:
                    await getattr(self._pubsub, verb)(name)

    async def _read_for_ever(self) -> None:
        wait_s = RECONNECT_FIRST_S
        while True:
            pubsub = self._redis.pubsub()
            try:
                await self._connect(pubsub)
                wait_s = RECONNECT_FIRST_S
                await self._read(pubsub)
            except (RedisError, OSError, RuntimeError) as error:
                log.warning("live_feed_lost", error=type(error).__name__)
            finally:
                self.connected = False
                self._pubsub = None
                for listeners in self._listeners.values():
                    listeners.confirmed.clear()
                with suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_MOST_S)

    async def _connect(self, pubsub: PubSub) -> None:
        wanted = {KEEPALIVE, *self._listeners}
        async with asyncio.timeout(RECONNECT_MOST_S):
            await pubsub.subscribe(*wanted)
        async with self._commands:
            if came_meanwhile := set(self._listeners) - wanted:
                await pubsub.subscribe(*came_meanwhile)
            self._pubsub, self.connected = pubsub, True

    async def _read(self, pubsub: PubSub) -> None:
        last_sign_s = monotonic()
        while True:
            message: dict[str, Any] | None = await pubsub.get_message(timeout=1.0)
            now_s = monotonic()
            if message is not None:
                last_sign_s = now_s
                self._deliver(message)
            elif now_s - last_sign_s > 2 * PING_EVERY_S:
                raise TimeoutError("Redis does not answer")
            elif now_s - last_sign_s > PING_EVERY_S:
                async with self._commands:
                    await pubsub.ping()

    def _deliver(self, message: dict[str, Any]) -> None:
        listeners = self._listeners.get((message["channel"] or b"").decode())
        if listeners is None:
            return
        if message["type"] == "subscribe":
            listeners.confirmed.set()
        if message["type"] != "message":
            return
        try:
            event = _DECODER.decode(message["data"])
        except msgspec.DecodeError:
            log.warning("live_event_unreadable")  # from an older or a newer release
            return
        for hear in list(listeners.hear):
            hear(event)
