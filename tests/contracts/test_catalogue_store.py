"""What every store of stores and products promises; concurrency is PostgreSQL's to show."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from application.ports.catalogue import Artwork
from application.ports.repository import StaleVersion
from domain.catalogue.product import OutOfStock, Product, ProductStatus
from domain.creators.creator import SlugTaken
from domain.media.asset import AssetState
from domain.shared.errors import NotFound
from domain.studio.job import Job
from domain.studio.pipelines import JobKind
from tests.builders import (
    NOON,
    Market,
    generated_asset,
    generation,
    market,
    product_of,
    store_of,
    user,
)
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

NOBODY = UUID(int=404)


async def product(new_uow: NewUnitOfWork, product_id: UUID) -> Product:
    async with new_uow() as uow:
        return await uow.products.get(product_id)


async def statuses(new_uow: NewUnitOfWork, shop: Market) -> list[ProductStatus]:
    return [(await product(new_uow, p.id)).status for p in shop.products]


# Stores.


async def test_stores_are_found_by_id_by_owner_and_among_many(new_uow: NewUnitOfWork) -> None:
    ada, grace = user(), user()
    mine, other, hers = store_of(ada), store_of(ada), store_of(grace)
    async with new_uow() as uow:
        for owner in (ada, grace):
            uow.users.add(owner)
        for store in (mine, other, hers):
            uow.stores.add(store)
        await uow.commit()

    async with new_uow() as uow:
        assert fields_of(await uow.stores.get(mine.id)) == fields_of(mine)
        owned = await uow.stores.owned_by(ada.id)
        assert [store.id for store in owned] == sorted([mine.id, other.id])
        assert await uow.stores.owned_by(NOBODY) == []
        many = await uow.stores.many([mine.id, hers.id, NOBODY])
        assert {store.id for store in many} == {mine.id, hers.id}
        with pytest.raises(NotFound):
            await uow.stores.get(NOBODY)


async def test_two_stores_never_share_a_slug(new_uow: NewUnitOfWork) -> None:
    owner = user()
    async with new_uow() as uow:
        uow.users.add(owner)
        uow.stores.add(store_of(owner, slug="prints"))
        await uow.commit()

    with pytest.raises(SlugTaken):
        async with new_uow() as uow:
            uow.stores.add(store_of(owner, slug="prints"))
            await uow.commit()


async def test_a_stale_store_is_not_saved(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())

    async with new_uow() as slow:
        found = await slow.stores.get(shop.store.id)
        async with new_uow() as quick:
            (await quick.stores.get(shop.store.id)).name = "Quick"
            await quick.commit()
        found.name = "Slow"
        with pytest.raises(StaleVersion):
            await slow.commit()


# Products.


async def test_products_are_read_as_they_were_listed(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), prices_cents=(2500, 3000), stock=3)
    first, second = shop.products

    async with new_uow() as uow:
        assert fields_of(await uow.products.get(first.id)) == fields_of(first)
        many = await uow.products.many([first.id, second.id, NOBODY])
        assert {found.id for found in many} == {first.id, second.id}
        assert await uow.products.many([]) == []
        with pytest.raises(NotFound):
            await uow.products.get(NOBODY, lock=True)


async def reserve(new_uow: NewUnitOfWork, quantities: Mapping[UUID, int]) -> set[UUID]:
    async with new_uow() as uow:
        limited = await uow.products.reserve(quantities)
        await uow.commit()
    return limited


async def test_pieces_of_a_limited_product_are_set_aside_until_none_is_left(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow(), stock=3)
    (limited,) = shop.products

    assert await reserve(new_uow, {limited.id: 2}) == {limited.id}
    with pytest.raises(OutOfStock) as refused:
        await reserve(new_uow, {limited.id: 2})
    assert refused.value.facts == {"product_id": str(limited.id), "quantity": 2}
    assert await reserve(new_uow, {limited.id: 1}) == {limited.id}

    stored = await product(new_uow, limited.id)
    assert (stored.stock, stored.reserved, stored.status) == (3, 3, ProductStatus.ACTIVE)


async def test_what_is_made_to_order_is_not_set_aside(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())

    assert await reserve(new_uow, {shop.products[0].id: 1000, NOBODY: 1}) == set()
    assert (await product(new_uow, shop.products[0].id)).reserved == 0


async def test_a_cart_is_set_aside_as_a_whole_or_not_at_all(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), prices_cents=(2500, 3000), stock=1)
    first, second = shop.products

    with pytest.raises(OutOfStock):
        await reserve(new_uow, {first.id: 1, second.id: 2})

    assert (await product(new_uow, first.id)).reserved == 0


# Artwork.


async def test_a_finished_generation_with_an_image_can_be_listed(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    made = await generation(new_uow(), shop, prompt="at sea")

    async with new_uow() as uow:
        (image,) = await uow.assets.of_generation(made.id)
        later = generated_asset(shop.owner.id, generation_id=made.id)
        later.created_at = NOON + timedelta(seconds=1)
        uow.assets.add(later)
        await uow.commit()

    async with new_uow() as uow:
        assert await uow.products.artwork(made.id) == Artwork(
            generation_id=made.id, asset_id=image.id, creator_id=shop.creator.id, prompt="at sea"
        )
        assert await uow.products.artwork(NOBODY) is None


async def test_a_generation_without_a_visible_image_cannot_be_listed(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow())
    made = await generation(new_uow(), shop)
    async with new_uow() as uow:
        (image,) = await uow.assets.of_generation(made.id)
        image.state = AssetState.HIDDEN
        await uow.commit()

    async with new_uow() as uow:
        assert await uow.products.artwork(made.id) is None


async def test_an_unfinished_generation_cannot_be_listed(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    made = await generation(new_uow(), shop)
    async with new_uow() as uow:
        job = await uow.jobs.get(made.id)
        unfinished = Job.accepted(job_id=job.id, kind=JobKind.IMAGE, owner_id=job.owner_id, at=NOON)
        job.status, job.finished_at = unfinished.status, None
        await uow.commit()

    async with new_uow() as uow:
        assert await uow.products.artwork(made.id) is None


# Payees that cannot be paid.


async def lose_capability(new_uow: NewUnitOfWork, payee_id: UUID) -> int:
    async with new_uow() as uow:
        (await uow.payees.get(payee_id, lock=True)).transfers_active = False
        suspended = await uow.products.suspend_unpayable(payee_id)
        await uow.commit()
    return suspended


async def come_back(new_uow: NewUnitOfWork, payee_id: UUID) -> int:
    async with new_uow() as uow:
        (await uow.payees.get(payee_id, lock=True)).transfers_active = True
        resumed = await uow.products.resume_payable(payee_id)
        await uow.commit()
    return resumed


async def test_products_are_suspended_with_their_payee_and_come_back_with_it(
    new_uow: NewUnitOfWork,
) -> None:
    shop, other = await market(new_uow(), prices_cents=(2500, 3000)), await market(new_uow())

    assert await lose_capability(new_uow, shop.creator.id) == 2
    assert await statuses(new_uow, shop) == [ProductStatus.SUSPENDED] * 2
    assert await statuses(new_uow, other) == [ProductStatus.ACTIVE]
    assert await lose_capability(new_uow, shop.creator.id) == 0

    assert await come_back(new_uow, shop.creator.id) == 2
    assert await statuses(new_uow, shop) == [ProductStatus.ACTIVE] * 2
    assert await come_back(new_uow, shop.creator.id) == 0


async def test_a_product_comes_back_when_all_its_payees_have(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    assert await lose_capability(new_uow, shop.creator.id) == 1
    assert await lose_capability(new_uow, shop.store.id) == 0

    assert await come_back(new_uow, shop.creator.id) == 0
    assert await statuses(new_uow, shop) == [ProductStatus.SUSPENDED]
    assert await come_back(new_uow, shop.store.id) == 1
    assert await statuses(new_uow, shop) == [ProductStatus.ACTIVE]


async def test_only_what_was_on_sale_is_suspended(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    kept = [ProductStatus.DRAFT, ProductStatus.INACTIVE, ProductStatus.OUT_OF_STOCK]
    for status in kept:
        image = generated_asset(shop.owner.id)
        shop.products.append(product_of(shop.store, shop.terms, image, status=status))
        async with new_uow() as uow:
            uow.assets.add(image)
            await uow.commit()
        async with new_uow() as uow:
            uow.products.add(shop.products[-1])
            await uow.commit()

    assert await lose_capability(new_uow, shop.store.id) == 1
    assert await statuses(new_uow, shop) == [ProductStatus.SUSPENDED, *kept]
    assert await come_back(new_uow, shop.store.id) == 1
    assert await statuses(new_uow, shop) == [ProductStatus.ACTIVE, *kept]


async def test_what_sold_out_while_it_was_suspended_comes_back_sold_out(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow(), stock=1)
    await lose_capability(new_uow, shop.store.id)
    async with new_uow() as uow:
        (await uow.products.get(shop.products[0].id)).stock = 0
        await uow.commit()

    assert await come_back(new_uow, shop.store.id) == 1
    assert await statuses(new_uow, shop) == [ProductStatus.OUT_OF_STOCK]


async def test_a_suspension_makes_a_version(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    async with new_uow() as slow:
        edited = await slow.products.get(shop.products[0].id)
        await lose_capability(new_uow, shop.creator.id)
        edited.title = "Edited meanwhile"
        with pytest.raises(StaleVersion):
            await slow.commit()


async def test_when_both_payees_come_back_at_once_the_product_does_too(
    postgres_uow: NewUnitOfWork,
) -> None:
    for _ in range(5):
        shop = await market(postgres_uow())
        await lose_capability(postgres_uow, shop.creator.id)
        await lose_capability(postgres_uow, shop.store.id)

        resumed = await asyncio.gather(
            come_back(postgres_uow, shop.creator.id), come_back(postgres_uow, shop.store.id)
        )

        assert sorted(resumed) == [0, 1]
        assert await statuses(postgres_uow, shop) == [ProductStatus.ACTIVE]


async def test_of_many_who_want_the_last_pieces_just_so_many_get_one(
    postgres_uow: NewUnitOfWork,
) -> None:
    shop = await market(postgres_uow(), stock=3)
    (limited,) = shop.products

    outcomes = await asyncio.gather(
        *(reserve(postgres_uow, {limited.id: 1}) for _ in range(8)), return_exceptions=True
    )

    assert outcomes.count({limited.id}) == 3
    assert sum(isinstance(outcome, OutOfStock) for outcome in outcomes) == 5
    assert (await product(postgres_uow, limited.id)).reserved == 3
