"""Carts and discounts in dicts, for the tests of use cases."""

from collections.abc import Collection
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table, UniqueKeys, already_exists
from domain.ordering.cart import Cart
from domain.ordering.discount import CodeTaken, Discount, DiscountUse, DiscountUsedUp

CART_KEYS: UniqueKeys[Cart] = {
    lambda cart: None if cart.closed else cart.user_id: already_exists,
}
DISCOUNT_KEYS: UniqueKeys[Discount] = {
    lambda d: None if d.archived or d.code is None else (d.store_id, d.code): lambda: CodeTaken(
        "Another discount has this code."
    ),
}


def use_key(use: DiscountUse) -> tuple[UUID, UUID]:
    return use.discount_id, use.order_id


class MemoryCarts(MemoryRepository[Cart]):
    async def of_user(self, user_id: UUID, *, lock: bool = False) -> Cart | None:
        return next(self._where(lambda c: c.user_id == user_id and not c.closed), None)

    async def close(self, cart: Cart) -> None:
        cart.closed = True


class MemoryDiscounts(MemoryRepository[Discount]):
    """See `application.ports.carts.Discounts`."""

    def __init__(self, table: Table[Discount], *, uses: MemoryRepository[DiscountUse]) -> None:
        super().__init__(table)
        self._uses = uses

    async def offered(self, store_ids: Collection[UUID], codes: Collection[str]) -> list[Discount]:
        found = self._where(
            lambda d: (
                (d.store_id is None or d.store_id in store_ids)
                and (d.code is None or d.code in codes)
                and d.active
                and not d.archived
            )
        )
        return sorted(found, key=lambda discount: discount.id)

    async def of_store(
        self, store_id: UUID | None, *, before: UUID | None, limit: int
    ) -> list[Discount]:
        own = self._where(
            lambda d: (
                d.store_id == store_id and not d.archived and (before is None or d.id < before)
            )
        )
        return sorted(own, key=lambda discount: discount.id, reverse=True)[:limit]

    async def reserve(
        self, discount_ids: Collection[UUID], *, order_id: UUID, customer: str
    ) -> None:
        for discount_id in sorted(discount_ids):
            discount = await self.get(discount_id)
            had = sum(
                use.customer == customer
                for use in self._uses._where(lambda u: u.discount_id == discount_id)  # noqa: B023
            )
            full = discount.usage_limit is not None and discount.used >= discount.usage_limit
            own_full = (
                discount.per_customer_limit is not None and had >= discount.per_customer_limit
            )
            if full or own_full:
                raise DiscountUsedUp("The discount is used up.", discount_id=str(discount_id))
            discount.used += discount.is_limited
            self._uses.add(
                DiscountUse(discount_id=discount_id, order_id=order_id, customer=customer)
            )

    async def free(self, order_id: UUID) -> None:
        for use in list(self._uses._where(lambda u: u.order_id == order_id)):
            self._uses._delete(use)
            discount = await self.get(use.discount_id)
            discount.used -= discount.is_limited

    async def recount(self, discount_id: UUID) -> int:
        return sum(1 for _ in self._uses._where(lambda use: use.discount_id == discount_id))
