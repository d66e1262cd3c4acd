"""Nobody can use an expired token, so neither it nor its session is kept: both name a person."""

from application.ports.clock import Clock
from application.ports.identity import SessionPurge

_CHUNK = 5_000


async def purge_sessions(*, sessions: SessionPurge, clock: Clock, chunk: int = _CHUNK) -> int:
    """Delete what has expired, in short transactions; answers how many rows went."""
    now = clock.now()
    purged = 0
    while deleted := await sessions.purge(now=now, limit=chunk):
        purged += deleted
    return purged
