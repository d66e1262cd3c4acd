"""Remembering what was signed."""

from typing import Protocol
from uuid import UUID

from domain.media.provenance import SignedCopy


class SignedCopies(Protocol):
    """Only ever added to. A file that was signed and never delivered is known all the same."""

    def add(self, aggregate: SignedCopy) -> None: ...

    async def of_asset(self, asset_id: UUID) -> list[SignedCopy]:
        """All that were ever signed for it, in the order of signing."""
        ...

    async def of_manifests(self, manifests: list[str]) -> list[SignedCopy]:
        """Those of ours among the names, in no particular order."""
        ...
