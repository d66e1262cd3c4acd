"""Assets in dicts, for the tests of use cases."""

from collections.abc import Collection
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table
from application.ports.media import CleanGrant
from domain.media.asset import Asset, AssetInUse


class MemoryAssets(MemoryRepository[Asset]):
    """See `application.ports.media.Assets`. Grants and removals take effect with the commit."""

    def __init__(self, table: Table[Asset], grants: set[CleanGrant]) -> None:
        super().__init__(table)
        self._grants = grants
        self._new_grants: set[CleanGrant] = set()
        self._removed: set[UUID] = set()

    async def many(self, asset_ids: Collection[UUID]) -> list[Asset]:
        return list(self._where(lambda asset: asset.id in asset_ids))

    async def of_generation(self, generation_id: UUID) -> list[Asset]:
        return list(self._where(lambda asset: asset.generation_id == generation_id))

    async def remove(self, asset: Asset) -> None:
        if await self.grantees(asset.id):
            raise AssetInUse("The image is still used: remove what uses it first.")
        self._removed.add(asset.id)

    async def grant_clean(self, grants: Collection[CleanGrant]) -> int:
        new = set(grants) - self._grants - self._new_grants
        self._new_grants |= new
        return len(new)

    async def grantees(self, asset_id: UUID) -> set[UUID]:
        granted = self._grants | self._new_grants
        return {grant.user_id for grant in granted if grant.asset_id == asset_id}

    def flush(self) -> None:
        super().flush()
        self._grants |= self._new_grants
        for asset_id in self._removed:
            self._table.rows.pop(asset_id)
