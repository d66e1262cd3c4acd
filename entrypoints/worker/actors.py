"""One Dramatiq actor for each queue; all of them do the same."""

from collections.abc import Awaitable, Callable, Collection

import dramatiq
import structlog

from application.ports.messages import Box
from entrypoints.worker.topic import QUEUES, Queue

_log = structlog.get_logger("likeness.worker")

Dispatch = Callable[[Box, str, list[str]], Awaitable[None]]


def declare_actors(
    broker: dramatiq.Broker, dispatch: Dispatch, *, queues: Collection[Queue] = QUEUES
) -> None:
    """Let `broker` run `dispatch` for what arrives in `queues`.

    A failure is logged and the queue message acknowledged all the same: its rows are still
    dispatched or leased, and the relay sends them again when that time is over.
    """

    async def handle(box: Box, topic: str, ids: list[str]) -> None:
        try:
            await dispatch(box, topic, ids)
        except Exception as error:  # noqa: BLE001 - see above
            _log.error("a batch was not claimed or finished", topic=topic, exc_info=error)

    for queue in queues:
        dramatiq.actor(
            actor_name=queue, queue_name=queue, broker=broker, priority=QUEUES.index(queue)
        )(handle)
