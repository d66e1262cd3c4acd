"""Outbox and inbox: rows that carry every effect across the edge of a transaction.

A message is `pending` until its due time, `dispatched` while the queue has it, `running` while a
worker holds its lease, then `done`, or `pending` again with a later due time, or `parked` after
too many attempts. Every handler is idempotent: a message may be handled more than once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

import msgspec

Box = Literal["outbox", "inbox"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler gets. `topic` is an outbox topic, or `{source}` for the inbox."""

    id: UUID
    box: Box
    topic: str
    payload: bytes
    attempts: int
    created_at: datetime
    external_id: str | None = None
    kind: str | None = None


class RetryLater(Exception):
    """Raised by a handler: not yet; try again after `delay` without counting it as a failure."""

    def __init__(self, reason: str, *, delay: timedelta) -> None:
        super().__init__(reason)
        self.delay = delay


class ParkMessage(Exception):
    """Raised by a handler: no retry will help; keep it for a person to look at."""


Handler = Callable[[Sequence[Message]], Awaitable[Mapping[UUID, Exception] | None]]
"""Handles messages of one topic. Answers the failures by message id; the others are done.
When it raises, the messages of the batch are tried again one by one."""


class Outbox(Protocol):
    """Part of a unit of work: what is added is committed with the rows that decided it."""

    def add(
        self,
        topic: str,
        body: msgspec.Struct,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        """Add a message. With a `key`, at most one message of that topic and key ever exists."""
        ...


class Inbox(Protocol):
    async def receive(
        self,
        *,
        source: str,
        external_id: str,
        kind: str,
        payload: bytes,
    ) -> bool:
        """Keep a verified message, committed at once; False when it was there already."""
        ...
