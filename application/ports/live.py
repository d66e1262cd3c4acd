"""News as it happens, for whoever looks at a screen.

Every event is kept, under a `seq` that grows by one within its channel, in the transaction that
makes it true. Publishing only saves the waiting: it may fail, come late or come twice, and a
listener that misses a number, or has been away, reads the records.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct, structs

from domain.identity.actor import Actor
from domain.media.asset import Asset

MAX_SEQ = 2**31 - 1
"""No channel has more events than this."""


class JobProgress(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.progress"):
    """How far a job is; `progress` is in percent, 0 to 100."""

    job_id: UUID
    progress: int
    current_step: str
    status: str
    seq: int


class StepCompleted(Struct, frozen=True, kw_only=True, tag_field="type", tag="step.completed"):
    """What an intermediate step makes is no asset: nobody is shown it."""

    job_id: UUID
    step_id: UUID
    step_type: str
    result_asset_id: UUID | None
    seq: int


class JobCompleted(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.completed"):
    """What it made is looked up, and linked, when somebody is told."""

    job_id: UUID
    seq: int


class JobFailed(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.failed"):
    job_id: UUID
    error_code: str
    error_message: str
    seq: int


class GenerationChanged(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="generation.changed"
):
    """Its `seq` is given by `UserEvents.log`."""

    generation_id: UUID
    status: str
    seq: int = 0


class OrderChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="order.changed"):
    """An order as it stands: one word, and its axes. Its `seq` is given by `UserEvents.log`."""

    order_id: UUID
    status: str
    payment_status: str | None = None
    fulfilment_status: str | None = None
    refund_status: str | None = None
    dispute_status: str | None = None
    delivery_hold: str | None = None
    seq: int = 0


class UploadVerified(Struct, frozen=True, kw_only=True, tag_field="type", tag="upload.verified"):
    """The asset that it became is there. Its `seq` is given by `UserEvents.log`."""

    upload_id: UUID
    asset_id: UUID
    seq: int = 0


class UploadRefused(Struct, frozen=True, kw_only=True, tag_field="type", tag="upload.refused"):
    """Its `seq` is given by `UserEvents.log`."""

    upload_id: UUID
    error_code: str
    error_message: str
    seq: int = 0


JobEvent = JobProgress | StepCompleted | JobCompleted | JobFailed
UserEvent = GenerationChanged | OrderChanged | UploadVerified | UploadRefused
LiveEvent = JobEvent | UserEvent


class Channel(NamedTuple):
    """`subject` is the job, or the user whose generations, orders or uploads these are."""

    kind: Literal["job", "generations", "orders", "uploads"]
    subject: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}"


def job_channel(job_id: UUID) -> Channel:
    return Channel("job", job_id)


def generations_channel(user_id: UUID) -> Channel:
    return Channel("generations", user_id)


def orders_channel(user_id: UUID) -> Channel:
    return Channel("orders", user_id)


def uploads_channel(user_id: UUID) -> Channel:
    return Channel("uploads", user_id)


def channel_of(user_id: UUID, event: UserEvent) -> Channel:
    match event:
        case GenerationChanged():
            return generations_channel(user_id)
        case OrderChanged():
            return orders_channel(user_id)
        case UploadVerified() | UploadRefused():
            return uploads_channel(user_id)


def with_seq(event: UserEvent, seq: int) -> UserEvent:
    return structs.replace(event, seq=seq)


class Told(NamedTuple):
    """An event in its channel."""

    channel: Channel
    event: LiveEvent


class UserEvents(Protocol):
    async def log(
        self, events: Sequence[tuple[UUID, UserEvent]], *, at: datetime
    ) -> Sequence[Told]:
        """Keep events of users' channels, each under the next `seq` of its channel; answers them
        with it, in the order given.

        Call it once in a transaction, as its last act: until the commit, others who tell these
        users something wait, and users are locked in the order of their ids.
        """
        ...


class LiveEvents(Protocol):
    async def publish(self, channel: Channel, event: LiveEvent) -> None:
        """Tell whoever listens now. Never raises: what gets lost is read from the records."""
        ...


class LiveFeed(Protocol):
    @property
    def connected(self) -> bool:
        """Whether events arrive at all; while they do not, read the records."""
        ...

    async def listen(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None:
        """From when this returns, `hear` is called with every event that is published, in order.

        It returns without that when the feed is not connected, and hears again when it is.
        """
        ...

    async def leave(self, channel: Channel, hear: Callable[[LiveEvent], None]) -> None: ...


class Kept(NamedTuple):
    """`last_seq` is the newest number of the channel, 0 before the first event."""

    events: Sequence[LiveEvent]
    last_seq: int


class LiveRecords(Protocol):
    async def read(self, after: Mapping[Channel, int], *, limit: int) -> Mapping[Channel, Kept]:
        """Of each channel, the `limit` oldest events with a greater `seq`, oldest first.

        One question to the database for any number of channels. The oldest events are not kept
        for ever: the first may be later than the one that was asked for.
        """
        ...

    async def require_viewer(self, channel: Channel, viewer: Actor) -> None:
        """Raises NotFound for a channel that is not there, or not for this viewer."""
        ...

    async def results(self, event: JobCompleted | StepCompleted) -> Sequence[Asset]:
        """What it tells of, as far as it is still there and may be shown."""
        ...

    async def in_review(self, event: JobCompleted) -> int:
        """How many of its results wait for a moderator."""
        ...


class EventPurge(Protocol):
    async def purge(self, *, before: datetime, limit: int) -> int:
        """Delete at most `limit` events that were kept before then; answers how many."""
        ...
