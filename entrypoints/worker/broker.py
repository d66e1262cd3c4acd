"""Dramatiq over Redis, used for what it is good at: waking a free thread of some worker, soon.

A queue message holds ids and nothing else. Retries, delays and dead letters are the business of
the rows in PostgreSQL, so none of Dramatiq's middleware for them is loaded; nor is its delay
queue, nor its metrics, which would claim the process-wide directory of ours.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from redis.backoff import NoBackoff
from redis.retry import Retry

from application.ports.messages import Box
from entrypoints.worker.topic import Queue

_log = structlog.get_logger("likeness.queue")


class Envelope(NamedTuple):
    """What is sent: a batch of one topic."""

    queue: Queue
    box: Box
    topic: str
    ids: Sequence[UUID]


class IdBroker(RedisBroker):
    """A Redis broker without delay queues: half the polling."""

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)


def open_broker(redis_url: str) -> IdBroker:
    """Connects when first used; a call fails within seconds when Redis is gone."""
    client = redis.Redis.from_url(
        redis_url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1)
    )
    return IdBroker(  # type: ignore[no-untyped-call]
        client=client, namespace="queue", middleware=[CurrentMessage()]
    )


class QueueSender:
    """Sends envelopes from the relay's loop, on a thread, because Dramatiq's client blocks."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self._broker = broker

    async def send(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        """Answers those that the queue did not take: all from the first failure on."""
        return await asyncio.to_thread(self._send, envelopes)

    def _send(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        for position, envelope in enumerate(envelopes):
            message: dramatiq.Message[None] = dramatiq.Message(
                queue_name=envelope.queue,
                actor_name=envelope.queue,
                args=(envelope.box, envelope.topic, [str(one) for one in envelope.ids]),
                kwargs={},
                options={},
            )
            try:
                self._broker.enqueue(message)
            except (redis.RedisError, OSError) as error:
                _log.warning("the queue refused messages", error=type(error).__name__)
                return envelopes[position:]
        return []
