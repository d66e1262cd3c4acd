"""Idempotent requests of one process."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports.idempotency import (
    KEPT_FOR,
    LEASE,
    Claim,
    Claimed,
    InProgress,
    RequestKey,
    Reused,
    StoredAnswer,
)


@dataclass(slots=True)
class _Record:
    request_hash: bytes
    claim_id: UUID
    leased_until: datetime
    expires_at: datetime
    answer: StoredAnswer | None = None


class MemoryIdempotency:
    """See `application.ports.idempotency.Idempotency`."""

    def __init__(self) -> None:
        self._records: dict[RequestKey, _Record] = {}

    async def claim(
        self, key: RequestKey, *, request_hash: bytes, claim_id: UUID, now: datetime
    ) -> Claim:
        record = self._records.get(key)
        if record is not None and record.expires_at > now:
            if record.request_hash != request_hash:
                return Reused()
            if record.answer is not None:
                return record.answer
            if record.leased_until > now:
                return InProgress()
        self._records[key] = _Record(request_hash, claim_id, now + LEASE, now + KEPT_FOR)
        return Claimed()

    async def store(
        self, key: RequestKey, *, claim_id: UUID, answer: StoredAnswer, now: datetime
    ) -> None:
        record = self._records.get(key)
        if record is not None and record.claim_id == claim_id:
            record.answer = answer
            record.expires_at = now + KEPT_FOR

    async def release(self, key: RequestKey, *, claim_id: UUID) -> None:
        record = self._records.get(key)
        if record is not None and record.claim_id == claim_id and record.answer is None:
            del self._records[key]

    async def purge(self, *, now: datetime) -> int:
        expired = [key for key, record in self._records.items() if record.expires_at <= now]
        for key in expired:
            del self._records[key]
        return len(expired)
