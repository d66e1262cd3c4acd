"""WebSocket /api/v1/live: what happens to a user's jobs, orders and uploads, as it happens.

    → {"type": "authenticate", "token": "…"}        ← {"type": "authenticated"}
    → {"type": "subscribe", "channel": "job:{id}", "last_seq": 4}
                                ← {"type": "subscribed", "channel": "job:{id}", "last_seq": 4}
                                ← {"type": "job.progress", …, "seq": 5}
    → {"type": "unsubscribe", "channel": "job:{id}"}

Channels are `job:{id}`, `generations`, `orders`, `uploads`. The token may come in the
Authorization header instead; a new one is sent over the same connection. A message that makes no
sense is answered with an error event and changes nothing.
"""

import asyncio
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from domain.shared.errors import LikenessError, Unauthenticated
from entrypoints import metrics
from entrypoints.http.authentication import bearer_token
from entrypoints.http.dependencies import PlatformPorts
from entrypoints.http.live_channels import Pass, UnknownChannel, default_start, parse_channel
from entrypoints.http.live_hub import Follower, Hub, LiveConnectionsExceeded
from entrypoints.http.live_messages import (
    HEARTBEAT,
    MAX_MESSAGE_BYTES,
    Allowance,
    Authenticate,
    LiveMessagesExceeded,
    OtherUser,
    Subscribe,
    Unsubscribe,
    encoded,
    message_of,
)

log = structlog.get_logger(__name__)

AUTHENTICATE_WITHIN_S = 10.0
MAX_SUBSCRIPTIONS = 50
CLOSE_TOO_BIG = 1009
CLOSE_FAILED = 1011
CLOSE_COME_BACK = 1012
CLOSE_UNAUTHENTICATED = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429


class _Close(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


def live_route(ports: PlatformPorts, hub: Hub) -> Any:
    @websocket("/api/v1/live")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        with metrics.LIVE_CONNECTIONS.track_inprogress():
            await _Connection(socket, hub=hub, ports=ports).serve()

    return live


class _Connection:
    """One client: one task reads its messages, one writes what happens in its channels."""

    def __init__(self, socket: WebSocket[Any, Any, Any], *, hub: Hub, ports: PlatformPorts) -> None:
        self._socket = socket
        self._hub = hub
        self._ports = ports
        self._pace = hub.pace
        self._pass: Pass | None = None
        self._held = ExitStack()
        self._allowance = Allowance()
        self._followers: dict[str, Follower] = {}
        self._ready: dict[str, Follower] = {}
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    async def serve(self) -> None:
        code = CLOSE_COME_BACK
        try:
            async with asyncio.timeout(self._pace.connected_at_most_s):
                await self._sign_in()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._converse())
                    tasks.create_task(self._tell())
        except* _Close as closing:
            code = _code_of(closing)
        except* TimeoutError:
            pass
        except* WebSocketDisconnect:
            code = 0
        except* Exception:
            log.exception("live_connection_failed")
            code = CLOSE_FAILED
        finally:
            for follower in self._followers.values():
                self._hub.leave(follower)
            self._held.close()
        if code:
            with suppress(Exception):
                async with asyncio.timeout(1):
                    await self._socket.close(code=code)

    async def _sign_in(self) -> None:
        if token := bearer_token(self._socket.scope):
            with suppress(Unauthenticated):
                await self._authenticate(token)
        try:
            async with asyncio.timeout(AUTHENTICATE_WITHIN_S):
                while self._pass is None:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise _Close(CLOSE_UNAUTHENTICATED) from None

    async def _converse(self) -> None:
        while True:
            await self._handle(await self._receive())

    async def _receive(self) -> bytes:
        event: Any = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(detail="the client has gone")
        text, raw = event.get("text"), event.get("bytes")
        message: bytes = text.encode("utf-8", "replace") if text is not None else raw or b""
        if len(message) > MAX_MESSAGE_BYTES:
            raise _Close(CLOSE_TOO_BIG)
        return message

    async def _handle(self, raw: bytes) -> None:
        if not self._allowance.take():
            await self._refuse(LiveMessagesExceeded("Too many messages.", retry_after_s=10))
            raise _Close(CLOSE_TOO_MANY)
        try:
            message = message_of(raw)
        except (ValueError, RecursionError):
            await self._say_error("message_invalid", "This is not a message of this protocol.")
            return
        try:
            await self._obey(message)
        except LiveConnectionsExceeded as error:
            await self._refuse(error)
            raise _Close(CLOSE_TOO_MANY) from None
        except LikenessError as error:
            await self._refuse(error)
        except (_Close, WebSocketDisconnect):
            raise
        except Exception:
            log.exception("live_message_failed")
            await self._say_error("internal_error", "Something failed on our side.")

    async def _obey(self, message: Authenticate | Subscribe | Unsubscribe) -> None:
        match message:
            case Authenticate(token):
                await self._authenticate(token)
            case _ if self._pass is None:
                raise Unauthenticated("Authenticate first.")
            case Subscribe(name, last_seq):
                await self._subscribe(name, last_seq, self._pass)
            case Unsubscribe(name):
                self._stop(name)
                await self._send({"type": "unsubscribed", "channel": name})

    async def _authenticate(self, token: str) -> None:
        """The first token opens the connection, a later one of the same user carries it on."""
        fresh = Pass(
            token,
            tokens=self._ports.access_tokens,
            now=self._ports.clock.now,
            check_every_s=self._pace.check_token_s,
        )
        if self._pass is None:
            self._held.enter_context(self._hub.connection_of(fresh.actor.user_id))
        elif fresh.actor.user_id != self._pass.actor.user_id:
            raise OtherUser("This connection is another user's: open one of your own.")
        self._pass = fresh
        await self._send({"type": "authenticated"})
        for name in list(self._followers):
            await self._look_again(name, fresh)
        self._wake.set()

    async def _look_again(self, name: str, fresh: Pass) -> None:
        try:
            await self._ports.newsroom.records.require_viewer(
                self._followers[name].line.channel, fresh.actor
            )
        except LikenessError:
            self._stop(name)
            await self._send({"type": "unsubscribed", "channel": name})

    async def _subscribe(self, name: str, last_seq: int | None, holder: Pass) -> None:
        holder.check_if_due()
        channel = parse_channel(name, holder.actor)
        self._stop(name)
        if len(self._followers) >= MAX_SUBSCRIPTIONS:
            raise UnknownChannel(f"At most {MAX_SUBSCRIPTIONS} subscriptions on one connection.")
        await self._ports.newsroom.records.require_viewer(channel, holder.actor)
        after = default_start(channel) if last_seq is None else last_seq
        follower = await self._hub.join(channel, after=after, wake=partial(self._news_in, name))
        self._followers[name] = follower
        await self._send({"type": "subscribed", "channel": name, "last_seq": follower.cursor})
        self._ready[name] = follower
        self._wake.set()

    def _stop(self, name: str) -> None:
        self._ready.pop(name, None)
        if follower := self._followers.pop(name, None):
            self._hub.leave(follower)

    def _news_in(self, name: str) -> None:
        if follower := self._followers.get(name):
            self._ready[name] = follower
            self._wake.set()

    async def _tell(self) -> None:
        """Write what happens, a little of each channel in turn."""
        while True:
            try:
                async with asyncio.timeout(self._pace.heartbeat_s):
                    await self._wake.wait()
            except TimeoutError:
                await self._write(HEARTBEAT)
            self._wake.clear()
            holder = await self._valid_pass()
            while self._ready:
                name, follower = next(iter(self._ready.items()))
                del self._ready[name]
                await self._tell_of(name, follower, holder)

    async def _tell_of(self, name: str, follower: Follower, holder: Pass) -> None:
        news = await follower.next()
        if news.missed:
            await self._write_of(name, follower, encoded({"type": "resync", "channel": name}))
        for entry in news.entries:
            text = entry.text or await self._hub.text_of(entry, holder.actor.user_id)
            await self._write_of(name, follower, text)
        if follower.has_news and self._followers.get(name) is follower:
            self._ready[name] = follower

    async def _valid_pass(self) -> Pass:
        """Waits for a new token when the old one has expired; nothing is told meanwhile."""
        holder = self._pass
        try:
            if holder is not None:
                holder.check_if_due()
                return holder
        except Unauthenticated as expired:
            await self._refuse(expired)
        try:
            async with asyncio.timeout(self._pace.renew_within_s):
                return await self._pass_after(holder)
        except TimeoutError:
            raise _Close(CLOSE_UNAUTHENTICATED) from None

    async def _pass_after(self, expired: Pass | None) -> Pass:
        while self._pass is None or self._pass is expired:
            self._wake.clear()
            await self._wake.wait()
        return self._pass

    async def _write_of(self, name: str, follower: Follower, text: str) -> None:
        """Unless the client has unsubscribed meanwhile."""
        async with self._writing:
            if self._followers.get(name) is follower:
                await self._put(text)

    async def _refuse(self, error: LikenessError) -> None:
        await self._say_error(error.code, error.message)

    async def _say_error(self, code: str, message: str) -> None:
        await self._send({"type": "error", "error": {"code": code, "message": message}})

    async def _send(self, message: dict[str, object]) -> None:
        await self._write(encoded(message))

    async def _write(self, text: str) -> None:
        async with self._writing:
            await self._put(text)

    async def _put(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._pace.send_within_s):
                await self._socket.send_data(text, mode="text")
        except TimeoutError:
            raise _Close(CLOSE_TOO_SLOW) from None


def _code_of(group: BaseExceptionGroup[_Close]) -> int:
    first = group.exceptions[0]
    return _code_of(first) if isinstance(first, BaseExceptionGroup) else first.code
