"""Done messages are kept for a while, to answer questions and to recognise late duplicates."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.messages import BOXES, MessageQueue

_CHUNK = 5_000


async def purge_done_messages(
    *, retention: timedelta, messages: MessageQueue, clock: Clock, chunk: int = _CHUNK
) -> int:
    """Delete done messages older than `retention`, in short transactions; answers how many."""
    before = clock.now() - retention
    purged = 0
    for box in BOXES:
        while deleted := await messages.purge(box, before=before, limit=chunk):
            purged += deleted
    return purged
