"""What somebody wants to buy, as quotes and checkouts are told it: products, or a cart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.seals import Seals
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.shipping import ShippingOption
from domain.identity.actor import Actor
from domain.licensing.territories import COUNTRIES
from domain.ordering.address import Address
from domain.ordering.cart import MAX_CODES, MAX_ITEMS, MAX_QUANTITY, Cart, CartEmpty, wanted
from domain.ordering.discount import discount_code
from domain.shared.errors import Invalid, NotFound

CART_SEAL = "cart"

AddressText = Annotated[str, msgspec.Meta(max_length=200)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)]


class AddressInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`country` is ISO 3166-1 alpha-2 in capitals, `state` the code of its subdivision."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", examples=["DE"])]
    name: AddressText | None = None
    line1: AddressText | None = None
    line2: AddressText | None = None
    city: AddressText | None = None
    state: AddressText | None = None
    postal_code: AddressText | None = None


class CartItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    product_id: UUID
    quantity: Quantity = 1


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either `items` or `cart_id`. Codes and address of a cart are its own; what is named here is
    added to its codes, and goes before its address."""

    items: Annotated[list[CartItem], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)] | None = None
    cart_id: UUID | None = None
    discount_codes: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=40)]], msgspec.Meta(max_length=MAX_CODES)
    ] = []
    shipping_address: AddressInput | None = None
    shipping_option: ShippingOption | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """`shipping_option` None means what each store offers first."""

    pieces: Mapping[UUID, int]
    codes: tuple[str, ...] = ()
    ship_to: Address | None = None
    shipping_option: ShippingOption | None = None


class WishInvalid(Invalid):
    """Name the products or the cart, and not both."""

    code = "wish_invalid"


class AddressInvalid(Invalid):
    """There is no such country."""

    code = "address_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """Who is shopping: a user, or a stranger whose browser holds a sealed cart."""

    actor: Actor | None
    cart_token: str | None = None

    def guest_cart_id(self, seals: Seals) -> UUID | None:
        content = seals.open(CART_SEAL, self.cart_token) if self.cart_token else None
        return UUID(bytes=content) if content and len(content) == 16 else None


async def basket_of(
    wish: Wish, *, shopper: Shopper, uow: UnitOfWork, seals: Seals, lock: bool = False
) -> tuple[Basket, Cart | None]:
    """What the wish means, and the cart that it names. Within a transaction.

    Raises WishInvalid, AddressInvalid, DiscountInvalid, NotFound, CartEmpty.
    """
    codes = [discount_code(code) for code in wish.discount_codes]
    ship_to = address_of(wish.shipping_address)
    cart = None
    if wish.cart_id is not None:
        cart = await _own_cart(wish.cart_id, shopper=shopper, uow=uow, seals=seals, lock=lock)
    pieces = pieces_of(wish, cart)
    if cart is not None:
        codes = [*cart.codes, *codes]
        ship_to = ship_to or cart.ship_to
    basket = Basket(
        pieces=pieces,
        codes=tuple(dict.fromkeys(codes)),
        ship_to=ship_to,
        shipping_option=wish.shipping_option,
    )
    return basket, cart


def pieces_of(wish: Wish, cart: Cart | None) -> dict[UUID, int]:
    """Raises WishInvalid, CartEmpty."""
    if (wish.items is None) == (wish.cart_id is None):
        raise WishInvalid(
            "Name the products or the cart.", fields={"items": ["or cart_id, and not both"]}
        )
    if cart is None:
        return wanted((item.product_id, item.quantity) for item in wish.items or ())
    if not cart.items:
        raise CartEmpty("There is nothing in the cart.")
    return wanted((item.product_id, item.quantity) for item in cart.items)


def address_of(given: AddressInput | None) -> Address | None:
    """Raises AddressInvalid."""
    if given is None:
        return None
    if given.country not in COUNTRIES:
        raise AddressInvalid(
            "There is no such country.", fields={"shipping_address.country": ["is not a country"]}
        )
    return Address(**{name: getattr(given, name) for name in given.__struct_fields__})


async def _own_cart(
    cart_id: UUID, *, shopper: Shopper, uow: UnitOfWork, seals: Seals, lock: bool
) -> Cart:
    """The shopper's cart, still open. Raises NotFound."""
    cart = await uow.carts.get(cart_id, lock=lock)
    own = (
        cart.user_id is not None
        and shopper.actor is not None
        and cart.user_id == shopper.actor.user_id
    )
    theirs = cart.user_id is None and cart.id == shopper.guest_cart_id(seals)
    if cart.closed or not (own or theirs):
        raise NotFound("cart", cart_id)
    return cart
