"""What a topic is: a handler, the queue it is served from, and how much of it at a time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from application.ports.messages import Box, Handler

Queue = Literal[
    "payments",
    "transfers",
    "webhooks",
    "studio",
    "image-generation",
    "post-processing",
    "video-synthesis",
    "motion-transfer",
    "mail",
    "default",
]

QUEUES: tuple[Queue, ...] = get_args(Queue)
"""In the order in which a busy worker serves them."""


PROVIDER_CALL = timedelta(seconds=120)
"""A lease: a batch of calls to a provider, each of which may take its time-out and its retries."""

LONG_RUN = timedelta(minutes=15)
"""A lease: a run that is resumed; what it has not done by then, its next attempt does."""

WHOLE_LEDGER = timedelta(hours=1)
"""A lease: reading all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """How messages of one topic are handled. The name of an inbox topic is its source.

    `lease` is how long a worker may take over a batch before it is taken for dead; a handler gets
    nine tenths of it. `in_flight` bounds how many messages are on their way at a time in the
    whole installation: all of a backlog stays in PostgreSQL but for this.
    """

    handle: Handler
    queue: Queue = "default"
    box: Box = "outbox"
    batch_size: int = 20
    lease: timedelta = timedelta(seconds=60)
    in_flight: int | None = None

    @property
    def room(self) -> int:
        return self.in_flight if self.in_flight is not None else max(self.batch_size * 40, 200)


Topics = dict[str, Topic]
