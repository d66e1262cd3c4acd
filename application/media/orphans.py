"""Erase bytes that nothing refers to: what a crash between writing bytes and rows leaves behind.

Objects lie below `{prefix}{id}/…`. Whoever writes below a new prefix says who knows what is kept
there, in the table of jobs.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.clock import Clock
from application.ports.storage import ObjectStorage

ORPHAN_AGE = timedelta(days=1)
"""Longer than anything takes from its first byte to its row."""
_BATCH = 500

Kept = Callable[[Collection[UUID]], Awaitable[set[str]]]
"""The keys that belong to these ids and are still needed."""


async def sweep_orphans(*, storage: ObjectStorage, kept: Mapping[str, Kept], clock: Clock) -> int:
    """Erase, below each prefix, what is older than a day and not kept, and give up what was begun
    in parts and is not kept; answers how many."""
    old = clock.now() - ORPHAN_AGE
    erased = 0
    for prefix, kept_of in kept.items():
        async for batch in _old_objects(prefix, old, storage=storage):
            erased += await _erase(batch, kept_of, storage=storage)
        erased += await _give_up(prefix, old, kept_of, storage=storage)
    return erased


async def _old_objects(
    prefix: str, old: datetime, *, storage: ObjectStorage
) -> AsyncIterator[dict[str, UUID]]:
    """Keys and the ids in them, a batch at a time. What has no id was not put there by us."""
    batch: dict[str, UUID] = {}
    async for found in storage.listing(prefix):
        owner = _id_in(found.key)
        if found.modified_at < old and owner is not None:
            batch[found.key] = owner
        if len(batch) == _BATCH:
            yield batch
            batch = {}
    yield batch


async def _erase(batch: dict[str, UUID], kept_of: Kept, *, storage: ObjectStorage) -> int:
    needed = await kept_of(set(batch.values()))
    orphans = [key for key in batch if key not in needed]
    for key in orphans:
        await storage.delete(key)
    return len(orphans)


async def _give_up(prefix: str, old: datetime, kept_of: Kept, *, storage: ObjectStorage) -> int:
    begun = [
        (multipart, owner)
        async for multipart in storage.open_multiparts(prefix)
        if multipart.started_at < old and (owner := _id_in(multipart.key)) is not None
    ]
    needed = await kept_of({owner for _, owner in begun})
    orphans = [multipart for multipart, _ in begun if multipart.key not in needed]
    for multipart in orphans:
        await storage.abort_multipart(multipart.key, multipart.multipart_id)
    return len(orphans)


def _id_in(key: str) -> UUID | None:
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None
