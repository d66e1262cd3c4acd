"""What clients of the WebSocket may say, and how often."""

from time import monotonic
from typing import Annotated

import msgspec
from msgspec import Struct

from application.ports.live import MAX_SEQ
from domain.shared.errors import NotAllowed, TooManyRequests

MAX_MESSAGE_BYTES = 4_096
AT_ONCE = 120.0
PER_S = 10.0
HEARTBEAT = '{"type":"heartbeat"}'


class Authenticate(Struct, frozen=True, tag_field="type", tag="authenticate"):
    token: str


class Subscribe(Struct, frozen=True, tag_field="type", tag="subscribe"):
    channel: str
    last_seq: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)] | None = None


class Unsubscribe(Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    channel: str


ClientMessage = Authenticate | Subscribe | Unsubscribe
_DECODER: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


class LiveMessagesExceeded(TooManyRequests):
    """A client sends messages faster than anybody clicks."""

    code = "live_messages_exceeded"


class OtherUser(NotAllowed):
    """A connection stays with the user who opened it."""

    code = "live_other_user"


class Allowance:
    """How many messages one connection may send: filled as time goes by, up to AT_ONCE."""

    def __init__(self) -> None:
        self._left = AT_ONCE
        self._at_s = monotonic()

    def take(self) -> bool:
        now_s = monotonic()
        self._left = min(AT_ONCE, self._left + (now_s - self._at_s) * PER_S)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def message_of(raw: bytes) -> ClientMessage:
    """Raises ValueError or RecursionError for what is no message."""
    return _DECODER.decode(raw)


def encoded(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
