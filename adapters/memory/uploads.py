"""Uploads in dicts, for the tests of use cases."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table
from application.ports.uploads import StorageUsage
from domain.media.asset import Asset, AssetState
from domain.media.upload import Upload, UploadState


class MemoryUploads(MemoryRepository[Upload]):
    """See `application.ports.uploads.Uploads`. Reservations take effect with the commit."""

    def __init__(
        self, table: Table[Upload], *, assets: Table[Asset], reserved: Counter[UUID]
    ) -> None:
        super().__init__(table)
        self._assets = assets
        self._reserved = reserved
        self._change: Counter[UUID] = Counter()

    async def reserve(self, owner_id: UUID, size_bytes: int, *, limit_bytes: int) -> bool:
        usage = await self.usage(owner_id)
        if usage.used_bytes + usage.reserved_bytes + size_bytes > limit_bytes:
            return False
        self._change[owner_id] += size_bytes
        return True

    async def release(self, owner_id: UUID, size_bytes: int) -> None:
        self._change[owner_id] -= size_bytes

    async def usage(self, owner_id: UUID) -> StorageUsage:
        used = (
            asset.size_bytes
            for asset in self._assets.rows.values()
            if asset.owner_id == owner_id and asset.state is not AssetState.HIDDEN
        )
        reserved_bytes = self._reserved[owner_id] + self._change[owner_id]
        return StorageUsage(used_bytes=sum(used), reserved_bytes=reserved_bytes)

    async def due(self, *, at: datetime, limit: int) -> list[UUID]:
        found = self._where(
            lambda upload: upload.state is UploadState.UPLOADING and upload.expires_at <= at
        )
        return [upload.id for upload in sorted(found, key=lambda upload: upload.expires_at)][:limit]

    def flush(self) -> None:
        super().flush()
        self._reserved.update(self._change)
        self._change.clear()
