"""News as it happens, for whoever looks at a screen. Truth is elsewhere: this may be lost.

Every event has a `seq` that only grows for the object it is about. A listener that has been away
asks the views for what it missed, and drops what it has seen.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.identity.actor import Actor

MAX_SEQ = 2**31 - 1
"""No object has more events than this."""


class JobProgress(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.progress"):
    """How far a job is; `progress` is in percent, 0 to 100."""

    job_id: UUID
    progress: int
    current_step: str
    status: str
    seq: int


class GenerationChanged(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="generation.changed"
):
    generation_id: UUID
    status: str
    seq: int


class OrderChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="order.changed"):
    order_id: UUID
    status: str
    seq: int


LiveEvent = JobProgress | GenerationChanged | OrderChanged


def job_channel(job_id: UUID) -> str:
    return f"job:{job_id}"


def generations_channel(user_id: UUID) -> str:
    return f"generations:{user_id}"


def orders_channel(user_id: UUID) -> str:
    return f"orders:{user_id}"


class LiveEvents(Protocol):
    async def publish(self, channel: str, event: LiveEvent) -> None:
        """Tell whoever listens now. Never raises: what gets lost is read from the views."""
        ...


class Subscription(Protocol):
    @property
    def connected(self) -> bool:
        """Whether events arrive at all; while they do not, ask the views."""
        ...

    async def next(self, *, timeout_s: float) -> LiveEvent | None:
        """The next event, or None when none came in time."""
        ...


class LiveFeed(Protocol):
    def subscribe(self, channel: str) -> AbstractAsyncContextManager[Subscription]:
        """Events published from now on. A slow listener loses the oldest ones."""
        ...


class JobProgressViews(Protocol):
    async def events_after(self, job_id: UUID, seq: int, viewer: Actor) -> list[JobProgress]:
        """The job's events with a greater `seq`, oldest first, at most 1000.

        Raises NotFound when there is no such job, or not for this viewer.
        """
        ...
