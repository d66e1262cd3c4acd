"""Live events through Redis pub/sub: one connection per process, shared by all its listeners.

The reader outlives Redis. While the connection is gone its subscriptions say so, and on the way
back every channel is subscribed again before they say otherwise.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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

BACKLOG = 100
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


class _Subscription:
    def __init__(self, feed: "RedisLiveFeed") -> None:
        self._feed = feed
        self.confirmed = asyncio.Event()
        self._events: asyncio.Queue[LiveEvent] = asyncio.Queue(BACKLOG)

    @property
    def connected(self) -> bool:
        return self._feed.connected

    def put(self, event: LiveEvent) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)

    async def next(self, *, timeout_s: float) -> LiveEvent | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._events.get()
        except TimeoutError:
            return None


class RedisLiveFeed:
    """See `application.ports.live.LiveFeed`. Reads from its first subscription until `close`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: defaultdict[str, set[_Subscription]] = defaultdict(set)
        self._pubsub: PubSub | None = None
        self._reader: asyncio.Task[None] | None = None
        self._commands = asyncio.Lock()
        self._confirmed: set[str] = set()
        self.connected = False

    @asynccontextmanager
    async def subscribe(self, channel: Channel) -> AsyncIterator[_Subscription]:
        self._ensure_reading()
        name = f"{PREFIX}{channel}"
        subscription = _Subscription(self)
        self._listeners[name].add(subscription)
        try:
            if name not in self._confirmed:
                await self._command("subscribe", name)
                with suppress(TimeoutError):
                    async with asyncio.timeout(CONFIRM_S):
                        await subscription.confirmed.wait()
            yield subscription
        finally:
            self._listeners[name].discard(subscription)
            if not self._listeners[name]:
                del self._listeners[name]
                self._confirmed.discard(name)
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
        if not self.connected or self._pubsub is None:
            return
        with suppress(RedisError, OSError):
            async with self._commands:
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
                self._confirmed.clear()
                with suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_MOST_S)

    async def _connect(self, pubsub: PubSub) -> None:
        wanted = {KEEPALIVE, *self._listeners}
        async with asyncio.timeout(RECONNECT_MOST_S):
            await pubsub.subscribe(*wanted)
        self._pubsub, self.connected = pubsub, True
        if came_meanwhile := set(self._listeners) - wanted:
            async with self._commands:
                await pubsub.subscribe(*came_meanwhile)

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
        listeners = self._listeners.get(message["channel"].decode(), ())
        if message["type"] == "subscribe":
            self._confirmed.add(message["channel"].decode())
            for listener in listeners:
                listener.confirmed.set()
        if message["type"] != "message":
            return
        try:
            event = _DECODER.decode(message["data"])
        except msgspec.DecodeError:
            log.warning("live_event_unreadable")  # from an older or a newer release
            return
        for listener in listeners:
            listener.put(event)
