"""Keeping assets, and who has bought the clean copy of which."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.media.asset import Asset, AssetPurpose, Media

ERASE_BYTES = "media.erase_bytes"


class EraseBytes(msgspec.Struct, frozen=True):
    """Outbox message: nothing refers to these objects any more."""

    keys: list[str]


class CleanGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's right to the clean copy, and the order that gave it."""

    asset_id: UUID
    user_id: UUID
    order_id: UUID


class Assets(Repository[Asset], Protocol):
    async def many(self, asset_ids: Collection[UUID]) -> list[Asset]:
        """Those that exist, in no particular order."""
        ...

    async def outputs(self, digests: Collection[str]) -> list[Asset]:
        """Generated images whose clean copy has one of these SHA-256, by id."""
        ...

    async def of_generation(self, generation_id: UUID) -> list[Asset]: ...

    async def remove(self, asset: Asset) -> None:
        """Delete the row. Raises AssetInUse while anything refers to it."""
        ...

    async def grant_clean(self, grants: Collection[CleanGrant]) -> int:
        """Add those that are not there yet, in one statement; answers how many were new."""
        ...

    async def note_access(self, asset_id: UUID, user_id: UUID, *, at: datetime) -> None:
        """A buyer was given a link to the clean copy."""
        ...

    async def withdraw_clean(self, order_id: UUID, asset_ids: Collection[UUID]) -> int:
        """Take back what an order gave a right to; answers how many there were."""
        ...

    async def grantees(self, asset_id: UUID) -> set[UUID]: ...

    async def granted(self, user_id: UUID, asset_ids: Collection[UUID]) -> set[UUID]:
        """Those of the assets to whose clean copy the buyer has a right."""
        ...


class AssetViews(Protocol):
    async def page(
        self,
        owner_id: UUID,
        *,
        purpose: AssetPurpose | None,
        media: Media | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
        project_id: UUID | None = None,
    ) -> list[Asset]:
        """The owner's assets, newest first, from after the (created_at, id) of the page before;
        with a project those that were made in it."""
        ...

    async def keys_of(self, asset_ids: Collection[UUID]) -> set[str]:
        """Every object that belongs to one of these."""
        ...
