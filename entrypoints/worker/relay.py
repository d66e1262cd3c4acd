"""Carries due rows from PostgreSQL to the queue, and takes back what queue or worker have lost.

Any number of relays may run: rows are taken with SKIP LOCKED. A relay is woken by whoever commits
messages and looks by itself a few times a second, so nothing depends on being woken. While Redis
is away rows simply wait.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal, Protocol

import structlog

from application.messaging.retrying import RetryPolicy
from application.ports.clock import Clock
from application.ports.messages import BOXES, Box, DueMessage, MessageQueue, WakeListener
from entrypoints.worker import metrics
from entrypoints.worker.broker import Envelope
from entrypoints.worker.topic import Topic, Topics

_log = structlog.get_logger("likeness.relay")
_ALONE_FROM_ATTEMPT = 3
_LONGEST_PAUSE_S = 5.0


class Sender(Protocol):
    async def send(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        """Hand over in order; answers what was not taken."""
        ...


class Relay:
    def __init__(
        self,
        *,
        topics: Topics,
        messages: MessageQueue,
        sender: Sender,
        listener: WakeListener,
        clock: Clock,
        policy: RetryPolicy | None = None,
        poll_s: float = 0.2,
        visibility: timedelta = timedelta(seconds=30),
        sweep_every_s: float = 2.0,
    ) -> None:
        self._topics = topics
        self._messages = messages
        self._sender = sender
        self._listener = listener
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._poll_s = poll_s
        self._visibility = visibility
        self._sweep_every_s = sweep_every_s
        self._next_sweep = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Failures are logged and followed by a growing pause."""
        failures = 0
        outcome: Literal["idle", "moved", "refused", "failed"]
        while not stop.is_set():
            try:
                outcome = await self._pass()
                failures = 0
            except Exception as error:  # noqa: BLE001 - the relay outlives its database
                failures += 1
                outcome = "failed"
                if failures == 1:
                    _log.error("the relay failed and tries again", exc_info=error)
            if outcome == "idle":
                await self._listener.wait(self._poll_s)
            elif outcome != "moved":
                pause_s = min(self._poll_s * 2**failures, _LONGEST_PAUSE_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause_s)

    async def _pass(self) -> Literal["idle", "moved", "refused"]:
        """Send what is due and has room, once."""
        await self._sweep_if_time()
        moved = False
        for box in BOXES:
            if due := await self._take(box):
                moved = True
                if await self._send(box, due):
                    return "refused"
        return "moved" if moved else "idle"

    async def _take(self, box: Box) -> list[DueMessage]:
        rooms = {name: topic.room for name, topic in self._topics.items() if topic.box == box}
        if not rooms:
            return []
        return await self._messages.take_due(
            box, rooms=rooms, now=self._clock.now(), visibility=self._visibility
        )

    async def _send(self, box: Box, due: Sequence[DueMessage]) -> bool:
        envelopes = list(_envelopes(box, due, self._topics))
        try:
            refused = await self._sender.send(envelopes)
        except Exception:
            await self._messages.put_back(box, [message.id for message in due])
            raise
        for envelope in envelopes[: len(envelopes) - len(refused)]:
            metrics.RELAYED.labels(envelope.topic).inc(len(envelope.ids))
        if refused:
            ids = [one for envelope in refused for one in envelope.ids]
            await self._messages.put_back(box, ids)
        return bool(refused)

    async def _sweep_if_time(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_sweep:
            return
        self._next_sweep = now_s + self._sweep_every_s
        for box in BOXES:
            swept = await self._messages.sweep(
                box, now=self._clock.now(), max_attempts=self._policy.max_attempts
            )
            metrics.SWEPT.labels(box, "returned").inc(swept.returned)
            metrics.SWEPT.labels(box, "parked").inc(swept.parked)
            if swept.returned or swept.parked:
                _log.warning(
                    "messages were lost on their way",
                    box=box,
                    returned=swept.returned,
                    parked=swept.parked,
                )


def _envelopes(box: Box, due: Sequence[DueMessage], topics: Topics) -> Iterator[Envelope]:
    """Batches by topic. A message that keeps failing goes alone: it may be what kills workers."""
    by_topic: dict[str, list[DueMessage]] = defaultdict(list)
    for message in due:
        by_topic[message.topic].append(message)
    for name, messages in by_topic.items():
        topic: Topic = topics[name]
        calm = [one.id for one in messages if one.attempts < _ALONE_FROM_ATTEMPT]
        for start in range(0, len(calm), topic.batch_size):
            yield Envelope(topic.queue, box, name, calm[start : start + topic.batch_size])
        for one in messages:
            if one.attempts >= _ALONE_FROM_ATTEMPT:
                yield Envelope(topic.queue, box, name, [one.id])
