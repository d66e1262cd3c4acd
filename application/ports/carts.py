"""Keeping carts, and discounts with their uses."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.ordering.cart import Cart
from domain.ordering.discount import Discount


class Carts(Repository[Cart], Protocol):
    async def of_user(self, user_id: UUID, *, lock: bool = False) -> Cart | None:
        """The user's open cart; there is at most one."""
        ...

    async def close(self, cart: Cart) -> None:
        """At once, so that its user may have another."""
        ...


class Discounts(Repository[Discount], Protocol):
    """Adding one whose code is taken raises CodeTaken."""

    async def offered(self, store_ids: Collection[UUID], codes: Collection[str]) -> list[Discount]:
        """What these stores and the platform give by themselves or for these codes; whether it
        applies now is for the domain to say."""
        ...

    async def of_store(
        self, store_id: UUID | None, *, before: UUID | None, limit: int
    ) -> list[Discount]:
        """A store's discounts, or the platform's, newest first, without the archived ones."""
        ...

    async def reserve(
        self, discount_ids: Collection[UUID], *, order_id: UUID, customer: str
    ) -> None:
        """Hold a use of each for an order, in order of their ids, each by one conditional update.

        Raises DiscountUsedUp when a limit, or the customer's own, is reached.
        """
        ...

    async def free(self, order_id: UUID) -> None:
        """Give back what an order held that nobody pays."""
        ...

    async def recount(self, discount_id: UUID) -> int:
        """How many uses are held; the caller has locked the discount."""
        ...
