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
State = Literal["pending", "dispatched", "running", "done", "parked"]

BOXES: tuple[Box, ...] = ("inbox", "outbox")


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
    key: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


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


class Wake(Protocol):
    """Tells the relays that rows wait. Best effort: relays look by themselves as well."""

    def wake(self) -> None:
        """Return at once; never raise."""
        ...


class WakeListener(Protocol):
    async def wait(self, timeout_s: float) -> bool:
        """Until somebody wakes us (True) or the time has passed (False); never raises."""
        ...


class DueMessage(msgspec.Struct, frozen=True):
    """A row on its way to the queue."""

    id: UUID
    topic: str
    attempts: int


class Claim(msgspec.Struct, frozen=True):
    """Messages that this worker alone may handle until its lease ends.

    `lease_until` is the database's time and identifies the claim: who lost it can finish nothing.
    """

    box: Box
    messages: Sequence[Message]
    lease_until: datetime


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """How a message that did not succeed goes on. Not `counted`: the attempt is given back."""

    id: UUID
    state: Literal["pending", "parked"]
    due_at: datetime
    counted: bool
    error: str


class Swept(msgspec.Struct, frozen=True):
    """Rows that their queue or worker has lost: sent again, or parked after too many attempts."""

    returned: int
    parked: int


class MessageQueue(Protocol):
    """The states of messages. Each call is one short transaction of its own.

    Leases run by the database's clock, due times by the `now` of the caller.
    """

    async def take_due(
        self, box: Box, *, rooms: Mapping[str, int], now: datetime, visibility: timedelta
    ) -> list[DueMessage]:
        """pending → dispatched, the oldest due first.

        `rooms`: topic → how many of it may be dispatched or running at a time. Rows that nobody
        has claimed when `visibility` is over are swept.
        """
        ...

    async def put_back(self, box: Box, ids: Sequence[UUID]) -> None:
        """dispatched → pending: the queue did not take them."""
        ...

    async def claim(
        self, box: Box, topic: str, ids: Sequence[UUID], *, lease: timedelta
    ) -> Claim | None:
        """dispatched → running, one attempt more; None when somebody else has them all."""
        ...

    async def finish(
        self, claim: Claim, *, done: Sequence[UUID], setbacks: Sequence[Setback], now: datetime
    ) -> int:
        """running → done, pending or parked; answers how many of them the claim still held."""
        ...

    async def sweep(self, box: Box, *, now: datetime, max_attempts: int) -> Swept:
        """Take back what was dispatched or running when its lease ended."""
        ...

    async def purge(self, box: Box, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` rows done before; answers how many."""
        ...


class ParkedMessages(Protocol):
    """Part of a unit of work: what waits for a person is put back to work with an audit entry."""

    async def redrive(
        self, box: Box, *, ids: Sequence[UUID] | None, topic: str | None, now: datetime
    ) -> list[UUID]:
        """parked → pending with its attempts forgotten: those named, or all (of a topic)."""
        ...


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator sees of a message; the payload stays in the database."""

    id: UUID
    box: Box
    topic: str
    state: State
    attempts: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_error: str | None
    kind: str | None
    external_id: str | None
    key: str | None
    request_id: str | None


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    row: MessageRow
    payload: bytes


class QueueDepth(msgspec.Struct, frozen=True, kw_only=True):
    """`oldest_age_s` counts from the due time, so that work planned for later is not late."""

    box: Box
    topic: str
    state: State
    count: int
    oldest_age_s: float


class MessageViews(Protocol):
    async def page(
        self,
        box: Box,
        *,
        state: State | None = None,
        topic: str | None = None,
        created_before: datetime | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> list[MessageRow]:
        """The newest first; `before` is the last id of the page before."""
        ...

    async def message(self, box: Box, message_id: UUID) -> StoredMessage:
        """Raises NotFound."""
        ...

    async def depths(self, *, now: datetime) -> list[QueueDepth]:
        """Unfinished messages by box, topic and state. `done` rows are not counted."""
        ...
