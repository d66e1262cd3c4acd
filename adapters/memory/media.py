"""Assets in dicts, for the tests of use cases."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table
from application.ports.media import CleanGrant
from domain.media.asset import Asset, AssetInUse


class MemoryAssets(MemoryRepository[Asset]):
    """See `application.ports.media.Assets`. Grants and removals take effect with the commit."""

    def __init__(
        self,
        table: Table[Asset],
        grants: set[CleanGrant],
        accesses: list[tuple[UUID, UUID, datetime]],
    ) -> None:
        super().__init__(table)
        self._grants = grants
        self._accesses = accesses
        self._new_accesses: list[tuple[UUID, UUID, datetime]] = []
        self._new_grants: set[CleanGrant] = set()
        self._withdrawn: set[CleanGrant] = set()
        self._removed: set[UUID] = set()

    async def many(self, asset_ids: Collection[UUID]) -> list[Asset]:
        return list(self._where(lambda asset: asset.id in asset_ids))

    async def outputs(self, digests: Collection[str]) -> list[Asset]:
        found = self._where(lambda asset: asset.is_generated and asset.sha256 in digests)
        return sorted(found, key=lambda asset: asset.id)

    async def of_generation(self, generation_id: UUID) -> list[Asset]:
        return list(self._where(lambda asset: asset.generation_id == generation_id))

    async def remove(self, asset: Asset) -> None:
        if await self.grantees(asset.id):
            raise AssetInUse("The asset is still used: remove what uses it first.")
        self._removed.add(asset.id)

    async def grant_clean(self, grants: Collection[CleanGrant]) -> int:
        new = set(grants) - self._grants - self._new_grants
        self._new_grants |= new
        return len(new)

    async def note_access(self, asset_id: UUID, user_id: UUID, *, at: datetime) -> None:
        self._new_accesses.append((asset_id, user_id, at))

    async def withdraw_clean(self, order_id: UUID, asset_ids: Collection[UUID]) -> int:
        withdrawn = {
            grant
            for grant in (self._grants | self._new_grants) - self._withdrawn
            if grant.order_id == order_id and grant.asset_id in asset_ids
        }
        self._withdrawn |= withdrawn
        return len(withdrawn)

    async def grantees(self, asset_id: UUID) -> set[UUID]:
        granted = (self._grants | self._new_grants) - self._withdrawn
        return {grant.user_id for grant in granted if grant.asset_id == asset_id}

    async def granted(self, user_id: UUID, asset_ids: Collection[UUID]) -> set[UUID]:
        return {i for i in asset_ids if user_id in await self.grantees(i)}

    def flush(self) -> None:
        super().flush()
        self._grants |= self._new_grants
        self._accesses.extend(self._new_accesses)
        self._new_accesses.clear()
        self._grants -= self._withdrawn
        for asset_id in self._removed:
            self._table.rows.pop(asset_id)
