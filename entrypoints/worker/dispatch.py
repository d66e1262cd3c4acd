"""From a queue message to finished rows: claim, handle without a transaction, finish.

The queue may deliver twice, late or never. A claim is one conditional update, so whoever comes
second gets nothing; a worker that dies leaves rows whose lease ends, and the relay sends those
again.
"""

import time
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from application.messaging.handling import Handled, handle_claim
from application.messaging.retrying import RetryPolicy, given_back, setback_of
from application.ports.clock import Clock
from application.ports.messages import (
    Box,
    Claim,
    Handler,
    Message,
    MessageQueue,
    RetryLater,
    Setback,
    Wake,
)
from entrypoints.worker import metrics
from entrypoints.worker.topic import Topics

_log = structlog.get_logger("likeness.worker")
_SHARE_OF_LEASE = 0.9


class Dispatcher:
    def __init__(
        self,
        *,
        topics: Topics,
        messages: MessageQueue,
        clock: Clock,
        policy: RetryPolicy | None = None,
        wake: Wake | None = None,
    ) -> None:
        self._topics = topics
        self._messages = messages
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._wake = wake

    async def dispatch(self, box: Box, name: str, ids: Sequence[str]) -> None:
        """Handle those messages that nobody else has. Raises when the database is out of reach."""
        topic = self._topics.get(name)
        if topic is None or topic.box != box:
            _log.warning("a topic this release does not know was sent to it", topic=name)
            return
        claim = await self._messages.claim(box, name, [UUID(one) for one in ids], lease=topic.lease)
        if claim is None:
            return
        started = time.perf_counter()
        handled = await handle_claim(
            claim, _with_log_context(name, topic.handle), time_limit=topic.lease * _SHARE_OF_LEASE
        )
        metrics.HANDLING.labels(name).observe(time.perf_counter() - started)
        await self._finish(name, claim, handled)
        if self._wake is not None and len(ids) >= topic.batch_size:
            self._wake.wake()  # a full batch: more of them may wait for the room it took

    async def _finish(self, name: str, claim: Claim, handled: Handled) -> None:
        now = self._clock.now()
        by_id = {message.id: message for message in claim.messages}
        setbacks = [
            setback_of(by_id[message_id], error, policy=self._policy, now=now)
            for message_id, error in handled.failed.items()
            if message_id in by_id
        ]
        untried = [given_back(by_id[one], now=now, reason="Untried") for one in handled.untried]
        finished = await self._messages.finish(
            claim, done=handled.done, setbacks=setbacks + untried, now=now
        )
        if finished < len(claim.messages):
            _log.warning("a claim was lost before it was finished", topic=name)
        metrics.HANDLED.labels(name, "done").inc(len(handled.done))
        for setback in setbacks:
            _report(name, by_id[setback.id], setback, handled.failed)


def _with_log_context(name: str, handler: Handler) -> Handler:
    async def handle(messages: Sequence[Message]) -> Mapping[UUID, Exception] | None:
        with structlog.contextvars.bound_contextvars(topic=name):
            return await handler(messages)

    return handle


def _report(
    name: str, message: Message, setback: Setback, failed: Mapping[UUID, Exception]
) -> None:
    outcome = "parked" if setback.state == "parked" else "retried" if setback.counted else "later"
    metrics.HANDLED.labels(name, outcome).inc()
    facts = {
        "topic": name,
        "message_id": str(message.id),
        "request_id": message.request_id,
        "attempt": message.attempts,
        "error": setback.error,
    }
    if outcome == "parked":
        _log.error("message parked", **facts, exc_info=failed[message.id])
    elif isinstance(failed[message.id], RetryLater):
        _log.info("message put off", **facts, due_at=setback.due_at.isoformat())
    else:
        _log.warning("message will be tried again", **facts, due_at=setback.due_at.isoformat())
