"""WebSocket /api/v1/live: what happens to a user's jobs, generations and orders, as it happens.

    → {"type": "authenticate", "token": "…"}        ← {"type": "authenticated"}
    → {"type": "subscribe", "channel": "job:{id}", "last_seq": 4}
                                                    ← {"type": "subscribed", "channel": "job:{id}"}
                                                    ← {"type": "job.progress", …, "seq": 5}
    → {"type": "unsubscribe", "channel": "job:{id}"}

Channels are `job:{id}`, `generations` and `orders`. The token may come in the Authorization header
instead. A message that makes no sense is answered with an error event and changes nothing.
"""

import asyncio
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from msgspec import Struct

from application.ports.clock import Clock
from application.ports.live import MAX_SEQ, Channel, JobProgressViews, LiveEvent, LiveFeed
from application.ports.tokens import AccessTokens
from domain.identity.actor import Actor
from domain.shared.errors import LikenessError, Unauthenticated
from entrypoints import metrics
from entrypoints.http.dependencies import PlatformPorts
from entrypoints.http.exchange import exchange_of
from entrypoints.http.live_channels import UnknownChannel, follow, parse_channel

log = structlog.get_logger(__name__)

AUTHENTICATE_WITHIN_S = 10.0
CONNECTED_AT_MOST_S = 3600.0
"""Then the client comes back with a fresh token: a revoked one would be believed for ever."""
MAX_MESSAGE_BYTES = 4_096
MAX_SUBSCRIPTIONS = 50
CLOSE_UNAUTHENTICATED = 4401
CLOSE_TOO_BIG = 1009
CLOSE_COME_BACK = 1012


class Authenticate(Struct, frozen=True, tag_field="type", tag="authenticate"):
    token: str


class Subscribe(Struct, frozen=True, tag_field="type", tag="subscribe"):
    channel: str
    last_seq: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)] = 0


class Unsubscribe(Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    channel: str


_DECODER = msgspec.json.Decoder(Authenticate | Subscribe | Unsubscribe)


class _MessageTooBig(Exception):
    pass


def live_route(ports: PlatformPorts) -> Any:
    @websocket("/api/v1/live")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        with metrics.LIVE_CONNECTIONS.track_inprogress():
            connection = _Connection(
                socket,
                feed=ports.live_feed,
                jobs=ports.job_progress,
                tokens=ports.access_tokens,
                clock=ports.clock,
            )
            await connection.serve()

    return live


class _Connection:
    """One client: reads its messages, while a task for each subscription writes the events."""

    def __init__(
        self,
        socket: WebSocket[Any, Any, Any],
        *,
        feed: LiveFeed,
        jobs: JobProgressViews,
        tokens: AccessTokens,
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._feed = feed
        self._jobs = jobs
        self._tokens = tokens
        self._clock = clock
        self._actor: Actor | None = exchange_of(socket.scope).actor
        self._following: dict[str, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()

    async def serve(self) -> None:
        code = CLOSE_COME_BACK
        try:
            async with asyncio.timeout(CONNECTED_AT_MOST_S):
                code = await self._converse()
        except TimeoutError:
            pass
        except WebSocketDisconnect:
            return
        finally:
            for task in self._following.values():
                task.cancel()
            await asyncio.gather(*self._following.values(), return_exceptions=True)
        with suppress(Exception):
            await self._socket.close(code=code)

    async def _converse(self) -> int:
        """Until the client goes, or the code to close with."""
        if self._actor is None:
            try:
                async with asyncio.timeout(AUTHENTICATE_WITHIN_S):
                    while self._actor is None:
                        await self._handle(await self._receive())
            except TimeoutError:
                return CLOSE_UNAUTHENTICATED
            except _MessageTooBig:
                return CLOSE_TOO_BIG
        else:
            await self._send({"type": "authenticated"})
        while True:
            try:
                await self._handle(await self._receive())
            except _MessageTooBig:
                return CLOSE_TOO_BIG

    async def _receive(self) -> bytes:
        event: Any = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(detail="the client has gone")
        text, raw = event.get("text"), event.get("bytes")
        message: bytes = text.encode("utf-8", "replace") if text is not None else raw or b""
        if len(message) > MAX_MESSAGE_BYTES:
            raise _MessageTooBig
        return message

    async def _handle(self, raw: bytes) -> None:
        try:
            message = _DECODER.decode(raw)
        except (ValueError, RecursionError):
            await self._refuse("message_invalid", "This is not a message of this protocol.")
            return
        try:
            await self._obey(message)
        except LikenessError as error:
            await self._refuse(error.code, error.message)
        except WebSocketDisconnect:
            raise
        except Exception:
            log.exception("live_message_failed")
            await self._refuse("internal_error", "Something failed on our side.")

    async def _obey(self, message: Authenticate | Subscribe | Unsubscribe) -> None:
        match message:
            case Authenticate(token):
                self._actor = self._tokens.verify(token, now=self._clock.now())
                await self._send({"type": "authenticated"})
            case _ if self._actor is None:
                raise Unauthenticated("Authenticate first.")
            case Subscribe(name, last_seq):
                await self._subscribe(name, last_seq, self._actor)
            case Unsubscribe(name):
                if task := self._following.pop(name, None):
                    task.cancel()
                await self._send({"type": "unsubscribed", "channel": name})

    async def _subscribe(self, name: str, last_seq: int, actor: Actor) -> None:
        channel = parse_channel(name, actor)
        if name in self._following:
            self._following.pop(name).cancel()
        if len(self._following) >= MAX_SUBSCRIPTIONS:
            raise UnknownChannel(f"At most {MAX_SUBSCRIPTIONS} subscriptions on one connection.")
        if channel.job_id is not None:
            await self._jobs.events_after(channel.job_id, MAX_SEQ, actor)  # may the actor see it?
        await self._send({"type": "subscribed", "channel": name})
        self._following[name] = asyncio.create_task(
            self._follow(name, channel.job_id, channel.topic, last_seq, actor)
        )

    async def _follow(
        self, name: str, job_id: UUID | None, topic: Channel, last_seq: int, actor: Actor
    ) -> None:
        try:
            await follow(
                self._feed,
                self._jobs,
                topic=topic,
                job_id=job_id,
                last_seq=last_seq,
                viewer=actor,
                send=self._send_event,
                resync=lambda: self._send({"type": "resync", "channel": name}),
            )
        except WebSocketDisconnect:
            pass
        except LikenessError as error:
            await self._refuse(error.code, error.message)
        except Exception:
            log.exception("live_subscription_failed")
            await self._refuse("internal_error", f"The subscription to {name} has ended.")

    async def _send_event(self, event: LiveEvent) -> None:
        await self._write(msgspec.json.encode(event))

    async def _send(self, message: dict[str, object]) -> None:
        await self._write(msgspec.json.encode(message))

    async def _refuse(self, code: str, message: str) -> None:
        await self._send({"type": "error", "error": {"code": code, "message": message}})

    async def _write(self, message: bytes) -> None:
        async with self._writing:
            await self._socket.send_data(message.decode(), mode="text")
