"""What was signed, in dicts, for the tests of use cases."""

from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.media.provenance import SignedCopy

SIGNED_KEYS: UniqueKeys[SignedCopy] = {lambda signed: signed.manifest: already_exists}


class MemorySignedCopies(MemoryRepository[SignedCopy]):
    """See `application.ports.provenance.SignedCopies`."""

    async def of_asset(self, asset_id: UUID) -> list[SignedCopy]:
        found = self._where(lambda signed: signed.asset_id == asset_id)
        return sorted(found, key=lambda signed: (signed.signed_at, signed.id))

    async def of_manifests(self, manifests: list[str]) -> list[SignedCopy]:
        return list(self._where(lambda signed: signed.manifest in manifests))
