"""Keeping stores and their products."""

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.catalogue.product import Product
from domain.catalogue.store import Store
from domain.licensing.terms import ProductType


class Stores(Repository[Store], Protocol):
    async def owned_by(self, user_id: UUID) -> list[Store]: ...

    async def many(self, store_ids: Collection[UUID]) -> list[Store]: ...


class Artwork(msgspec.Struct, frozen=True, kw_only=True):
    """A finished generation, as far as a listing needs it. Without a creator it shows an invented
    person."""

    generation_id: UUID
    asset_id: UUID
    creator_id: UUID | None
    prompt: str


class Products(Repository[Product], Protocol):
    async def many(self, product_ids: Collection[UUID]) -> list[Product]: ...

    async def reserve(self, quantities: Mapping[UUID, int]) -> set[UUID]:
        """Set pieces of limited products aside, each by one conditional update.

        Answers the products that are limited. Raises OutOfStock when one has too few left.
        """
        ...

    async def artwork(self, generation_id: UUID) -> Artwork | None:
        """The generation, when it has succeeded and its image is deliverable."""
        ...

    async def suspend_unpayable(self, payee_id: UUID) -> int:
        """Suspend active products of a payee that cannot be paid; answers how many."""
        ...

    async def resume_payable(self, payee_id: UUID) -> int:
        """Bring back suspended products all of whose payees can be paid again; not what the
        licence froze."""
        ...

    async def sellers(self, creator_id: UUID) -> set[tuple[UUID, ProductType]]:
        """Which stores list which kinds of things of a creator, suspended ones too."""
        ...

    async def freeze(
        self,
        creator_id: UUID,
        *,
        reason: str,
        sellers: Collection[tuple[UUID, ProductType]] | None = None,
        up_to_version: int | None = None,
    ) -> int:
        """Take listings of a creator off sale until their stores publish them again; those of
        some sellers, or under terms up to a version. Answers how many."""
        ...
