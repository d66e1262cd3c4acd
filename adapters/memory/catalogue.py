"""Stores and products in dicts, for the tests of use cases."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from adapters.memory.ledger import MemoryPayees
from adapters.memory.media import MemoryAssets
from adapters.memory.repository import MemoryRepository, Table, UniqueKeys
from application.ports.catalogue import Artwork
from domain.catalogue.product import OutOfStock, Product, ProductStatus
from domain.catalogue.store import Store
from domain.creators.creator import SlugTaken
from domain.licensing.terms import ProductType
from domain.media.asset import AssetState
from domain.studio.generation import Generation
from domain.studio.job import Job, JobStatus

STORE_KEYS: UniqueKeys[Store] = {lambda store: store.slug: lambda: SlugTaken("The slug is taken.")}


class MemoryStores(MemoryRepository[Store]):
    async def owned_by(self, user_id: UUID) -> list[Store]:
        owned = self._where(lambda store: store.owner_id == user_id)
        return sorted(owned, key=lambda store: store.id)

    async def many(self, store_ids: Collection[UUID]) -> list[Store]:
        return list(self._where(lambda store: store.id in store_ids))


class MemoryProducts(MemoryRepository[Product]):
    """See `application.ports.catalogue.Products`."""

    def __init__(
        self,
        table: Table[Product],
        *,
        payees: MemoryPayees,
        jobs: MemoryRepository[Job],
        generations: MemoryRepository[Generation],
        assets: MemoryAssets,
    ) -> None:
        super().__init__(table)
        self._payees = payees
        self._jobs = jobs
        self._generations = generations
        self._assets = assets

    async def many(self, product_ids: Collection[UUID]) -> list[Product]:
        return list(self._where(lambda product: product.id in product_ids))

    async def reserve(self, quantities: Mapping[UUID, int]) -> set[UUID]:
        reserved: set[UUID] = set()
        for product in self._where(lambda p: p.id in quantities and p.stock is not None):
            quantity = quantities[product.id]
            if (product.stock or 0) - product.reserved < quantity:
                raise OutOfStock(
                    "There are not that many left.", product_id=str(product.id), quantity=quantity
                )
            product.reserved += quantity
            reserved.add(product.id)
        return reserved

    def take(self, product_id: UUID, quantity: int, *, sold: bool) -> None:
        """Turn reserved pieces into sold ones, or back into free ones."""
        product = self._peek(product_id)
        if product is None or product.stock is None:
            return
        product.reserved -= quantity
        if sold:
            product.stock -= quantity
            if product.stock == 0 and product.status is ProductStatus.ACTIVE:
                product.status = ProductStatus.OUT_OF_STOCK

    async def artwork(self, generation_id: UUID) -> Artwork | None:
        job = self._jobs._peek(generation_id)
        generation = self._generations._peek(generation_id)
        images = [
            asset
            for asset in await self._assets.of_generation(generation_id)
            if asset.state is AssetState.READY
        ]
        if job is None or generation is None or not images:
            return None
        if job.status is not JobStatus.SUCCEEDED:
            return None
        return Artwork(
            generation_id=generation_id,
            asset_id=min(images, key=lambda asset: (asset.created_at, asset.id)).id,
            creator_id=generation.creator_id,
            prompt=generation.prompt,
        )

    async def suspend_unpayable(self, payee_id: UUID) -> int:
        active = list(self._of_payee(payee_id, ProductStatus.ACTIVE))
        for product in active:
            product.status = ProductStatus.SUSPENDED
        return len(active)

    async def resume_payable(self, payee_id: UUID) -> int:
        resumed = [
            product
            for product in self._of_payee(payee_id, ProductStatus.SUSPENDED)
            if product.frozen_for is None
            and self._payees.are_payable([product.store_id, product.creator_id])
        ]
        for product in resumed:
            sold_out = product.stock == 0
            product.status = ProductStatus.OUT_OF_STOCK if sold_out else ProductStatus.ACTIVE
        return len(resumed)

    async def sellers(self, creator_id: UUID) -> set[tuple[UUID, ProductType]]:
        return {(p.store_id, p.product_type) for p in self._freezable(creator_id)}

    async def freeze(
        self,
        creator_id: UUID,
        *,
        reason: str,
        sellers: Collection[tuple[UUID, ProductType]] | None = None,
        up_to_version: int | None = None,
    ) -> int:
        frozen = [
            product
            for product in self._freezable(creator_id)
            if product.frozen_for is None
            and (sellers is None or (product.store_id, product.product_type) in sellers)
            and (up_to_version is None or product.terms_version <= up_to_version)
        ]
        for product in frozen:
            product.status, product.frozen_for = ProductStatus.SUSPENDED, reason
        return len(frozen)

    def _freezable(self, creator_id: UUID) -> list[Product]:
        shown = {ProductStatus.ACTIVE, ProductStatus.OUT_OF_STOCK, ProductStatus.SUSPENDED}
        return list(self._where(lambda p: p.creator_id == creator_id and p.status in shown))

    def _of_payee(self, payee_id: UUID, status: ProductStatus) -> Iterator[Product]:
        return self._where(
            lambda product: (
                product.status is status and payee_id in (product.store_id, product.creator_id)
            )
        )
