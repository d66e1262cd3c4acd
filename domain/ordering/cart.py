"""A cart: what somebody means to buy. It promises nothing; prices are those of the moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.ordering.address import Address
from domain.shared.errors import Conflict, NotFound, RuleRefused

MAX_ITEMS = 100
MAX_QUANTITY = 1000
MAX_CODES = 10


class CartFull(RuleRefused):
    """More than a cart, or a line of it, can hold."""

    code = "cart_full"


class CartEmpty(RuleRefused):
    """There is nothing in the cart to buy."""

    code = "cart_empty"


class CartOrdered(Conflict):
    """An order of this cart waits for its payment: pay it, or cancel it to change the cart."""

    code = "cart_ordered"


class CartItem(NamedTuple):
    """`seen_price_cents` is what a piece cost when it was put in, so that a change can be shown."""

    product_id: UUID
    quantity: int
    seen_price_cents: int


@dataclass(eq=False, kw_only=True)
class Cart:
    """`user_id` None is a stranger's, found by a cookie. `order_id` is the last order placed from
    it; a cart whose order was paid is `closed`, and so is one that was merged into another."""

    id: UUID
    user_id: UUID | None
    items: tuple[CartItem, ...] = ()
    codes: tuple[str, ...] = ()
    ship_to: Address | None = None
    order_id: UUID | None = None
    closed: bool = False
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def put(self, product_id: UUID, quantity: int, *, price_cents: int, at: datetime) -> None:
        """Add pieces; of what is there already, more. Raises CartFull."""
        there = next((item.quantity for item in self.items if item.product_id == product_id), 0)
        self._set(CartItem(product_id, there + quantity, price_cents), at=at)

    def change(self, product_id: UUID, quantity: int, *, price_cents: int, at: datetime) -> None:
        """So many pieces from now on. Raises NotFound, CartFull."""
        self._require(product_id)
        self._set(CartItem(product_id, quantity, price_cents), at=at)

    def remove(self, product_id: UUID, *, at: datetime) -> None:
        """Raises NotFound."""
        self._require(product_id)
        self.items = tuple(item for item in self.items if item.product_id != product_id)
        self.updated_at = at

    def enter(self, code: str, *, at: datetime) -> None:
        """Raises CartFull. Entering a code again changes nothing."""
        if code in self.codes:
            return
        if len(self.codes) == MAX_CODES:
            raise CartFull(f"A cart takes {MAX_CODES} codes.", limit=MAX_CODES)
        self.codes = (*self.codes, code)
        self.updated_at = at

    def withdraw(self, code: str, *, at: datetime) -> None:
        """Raises NotFound."""
        if code not in self.codes:
            raise NotFound("discount code")
        self.codes = tuple(entered for entered in self.codes if entered != code)
        self.updated_at = at

    def send_to(self, address: Address | None, *, at: datetime) -> None:
        self.ship_to, self.updated_at = address, at

    def merge(self, other: "Cart", *, at: datetime) -> None:
        """Take over what a stranger had chosen before signing in, as far as there is room."""
        items = {item.product_id: item for item in self.items}
        for item in other.items:
            mine = items.get(item.product_id)
            both = min(MAX_QUANTITY, item.quantity + (mine.quantity if mine else 0))
            items[item.product_id] = item._replace(quantity=both)
        self.items = tuple(items.values())[:MAX_ITEMS]
        self.codes = tuple(dict.fromkeys((*self.codes, *other.codes)))[:MAX_CODES]
        self.ship_to = self.ship_to or other.ship_to
        self.updated_at = at
        other.closed = True

    def _require(self, product_id: UUID) -> None:
        if all(item.product_id != product_id for item in self.items):
            raise NotFound("cart item", product_id)

    def _set(self, item: CartItem, *, at: datetime) -> None:
        if item.quantity > MAX_QUANTITY:
            raise CartFull(f"A line holds {MAX_QUANTITY} pieces.", limit=MAX_QUANTITY)
        items = {each.product_id: each for each in self.items} | {item.product_id: item}
        if len(items) > MAX_ITEMS:
            raise CartFull(f"A cart holds {MAX_ITEMS} products.", limit=MAX_ITEMS)
        self.items, self.updated_at = tuple(items.values()), at


def wanted(items: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    """Pieces per product; a product named twice is one line."""
    pieces: dict[UUID, int] = {}
    for product_id, quantity in items:
        pieces[product_id] = pieces.get(product_id, 0) + quantity
    return pieces
