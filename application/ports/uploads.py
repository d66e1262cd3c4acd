"""Keeping uploads, and counting the bytes that each owner has and has on the way."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.media.upload import Upload, UploadState


class StorageUsage(msgspec.Struct, frozen=True, kw_only=True):
    """`used_bytes` are those of the clean copies of assets that are ready; `reserved_bytes` are
    held for uploads that have not ended."""

    used_bytes: int
    reserved_bytes: int


class Uploads(Repository[Upload], Protocol):
    async def reserve(self, owner_id: UUID, size_bytes: int, *, limit_bytes: int) -> bool:
        """Hold so many bytes for the owner, unless what is used and reserved would then exceed
        the limit: one conditional update decides, whoever else asks at the time."""
        ...

    async def release(self, owner_id: UUID, size_bytes: int) -> None:
        """Give back what was reserved; once for each reservation."""
        ...

    async def usage(self, owner_id: UUID) -> StorageUsage: ...

    async def due(self, *, at: datetime, limit: int) -> list[UUID]:
        """Uploads whose parts have had their time, the longest due first."""
        ...


class UploadViews(Protocol):
    async def page(
        self,
        owner_id: UUID,
        *,
        state: UploadState | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Upload]:
        """The owner's uploads, newest first, from after the (created_at, id) of the page before."""
        ...

    async def keys_of(self, upload_ids: Collection[UUID]) -> set[str]:
        """What those of them need in quarantine that have not ended."""
        ...
