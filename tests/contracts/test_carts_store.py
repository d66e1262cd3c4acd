"""What every store of carts and discounts promises; concurrency is PostgreSQL's to show."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.ordering.address import Address
from domain.ordering.cart import Cart, CartItem
from domain.ordering.discount import CodeTaken, Discount, DiscountUsedUp
from domain.shared.errors import NotFound
from tests.builders import NOON, discount, market
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

NOBODY = UUID(int=404)


def cart(**changes: object) -> Cart:
    values = {"id": uuid4(), "user_id": uuid4(), "created_at": NOON, "updated_at": NOON}
    return Cart(**{**values, **changes})  # type: ignore[arg-type]


async def keep(new_uow: NewUnitOfWork, *kept: Cart | Discount) -> None:
    async with new_uow() as uow:
        for each in kept:
            if isinstance(each, Cart):
                uow.carts.add(each)
            else:
                uow.discounts.add(each)
        await uow.commit()


async def test_a_cart_is_read_as_it_was_kept(new_uow: NewUnitOfWork) -> None:
    full = cart(
        items=(CartItem(uuid4(), 2, 2500),),
        codes=("SPRING",),
        ship_to=Address(country="DE", city="Berlin"),
    )
    await keep(new_uow, full)

    async with new_uow() as uow:
        assert full.user_id
        found = await uow.carts.of_user(full.user_id, lock=True)
        assert found is not None
        assert fields_of(found) | {"version": 1} == fields_of(full) | {"version": 1}
        assert await uow.carts.of_user(NOBODY) is None
        with pytest.raises(NotFound):
            await uow.carts.get(NOBODY)


async def test_a_user_has_one_open_cart_and_strangers_as_many_as_they_are(
    new_uow: NewUnitOfWork,
) -> None:
    mine = cart()
    await keep(new_uow, mine, cart(user_id=None), cart(user_id=None))
    await keep(new_uow, cart(user_id=mine.user_id, closed=True))

    with pytest.raises(AlreadyExists):
        await keep(new_uow, cart(user_id=mine.user_id))


async def test_a_store_offers_what_comes_by_itself_and_for_the_codes_entered(
    new_uow: NewUnitOfWork,
) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    by_itself, coded = discount(shop.store.id), discount(shop.store.id, code="SPRING")
    platform = discount(None, code="SPRING", amount_cents=100)
    unseen = [
        discount(shop.store.id, code="AUTUMN"),
        discount(shop.store.id, active=False),
        discount(shop.store.id, archived=True),
        discount(other.store.id),
    ]
    await keep(new_uow, by_itself, coded, platform, *unseen)

    async with new_uow() as uow:
        found = await uow.discounts.offered([shop.store.id], ["SPRING"])
        nothing_entered = await uow.discounts.offered([shop.store.id], [])
        listed = await uow.discounts.of_store(shop.store.id, before=None, limit=2)
        platforms = await uow.discounts.of_store(None, before=None, limit=10)

    assert {d.id for d in found} == {by_itself.id, coded.id, platform.id}
    assert [d.id for d in nothing_entered] == [by_itself.id]
    own = sorted([by_itself.id, coded.id, *(d.id for d in unseen[:2])], reverse=True)
    assert [d.id for d in listed] == own[:2]
    assert [fields_of(d) | {"version": 1} for d in platforms] == [
        fields_of(platform) | {"version": 1}
    ]


async def test_a_code_is_one_discount_of_a_store_until_it_is_archived(
    new_uow: NewUnitOfWork,
) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    first = discount(shop.store.id, code="SPRING")
    await keep(
        new_uow, first, discount(other.store.id, code="SPRING"), discount(None, code="SPRING")
    )

    for taken in (shop.store.id, None):
        with pytest.raises(CodeTaken):
            await keep(new_uow, discount(taken, code="SPRING"))
    async with new_uow() as uow:
        (await uow.discounts.get(first.id, lock=True)).archived = True
        await uow.commit()
    await keep(new_uow, discount(shop.store.id, code="SPRING"))


async def hold(new_uow: NewUnitOfWork, *wanted: Discount, customer: str = "user:1") -> UUID:
    order_id = uuid4()
    async with new_uow() as uow:
        await uow.discounts.reserve([d.id for d in wanted], order_id=order_id, customer=customer)
        await uow.commit()
    return order_id


async def used(new_uow: NewUnitOfWork, of: Discount) -> tuple[int, int]:
    async with new_uow() as uow:
        return (await uow.discounts.get(of.id)).used, await uow.discounts.recount(of.id)


async def test_a_use_is_held_until_it_is_given_back(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    limited, free = discount(shop.store.id, usage_limit=1), discount(shop.store.id)
    await keep(new_uow, limited, free)
    order_id = await hold(new_uow, limited, free)
    assert (await used(new_uow, limited), await used(new_uow, free)) == ((1, 1), (0, 1))

    with pytest.raises(DiscountUsedUp):
        await hold(new_uow, limited, customer="user:2")

    for _ in range(2):
        async with new_uow() as uow:
            await uow.discounts.free(order_id)
            await uow.commit()
    assert (await used(new_uow, limited), await used(new_uow, free)) == ((0, 0), (0, 0))
    await hold(new_uow, limited, customer="user:2")


async def test_a_customer_has_their_own_limit(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    once = discount(shop.store.id, per_customer_limit=1)
    await keep(new_uow, once)
    await hold(new_uow, once)

    with pytest.raises(DiscountUsedUp):
        await hold(new_uow, once)
    await hold(new_uow, once, customer="user:2")
    assert await used(new_uow, once) == (2, 2)


async def all_at_once(new_uow: NewUnitOfWork, wanted: Discount, customers: list[str]) -> int:
    """How many of so many orders, placed at once, hold a use."""
    room = asyncio.Semaphore(20)

    async def try_one(customer: str) -> bool:
        async with room:
            try:
                await hold(new_uow, wanted, customer=customer)
            except DiscountUsedUp:
                return False
            return True

    return Counter(await asyncio.gather(*(try_one(customer) for customer in customers)))[True]


async def test_three_hundred_at_once_use_a_code_for_fifty_fifty_times(
    postgres_uow: NewUnitOfWork,
) -> None:
    shop = await market(postgres_uow())
    fifty = discount(shop.store.id, code="FIFTY", usage_limit=50)
    await keep(postgres_uow, fifty)

    held = await all_at_once(postgres_uow, fifty, [f"user:{n}" for n in range(300)])

    assert (held, await used(postgres_uow, fifty)) == (50, (50, 50))


async def test_a_customer_who_orders_many_times_at_once_has_the_discount_twice(
    postgres_uow: NewUnitOfWork,
) -> None:
    shop = await market(postgres_uow())
    twice = discount(shop.store.id, code="TWICE", per_customer_limit=2)
    await keep(postgres_uow, twice)

    held = await all_at_once(postgres_uow, twice, ["user:1"] * 40)

    assert (held, await used(postgres_uow, twice)) == (2, (2, 2))
