"""Keep a cart: a user's, or a stranger's that a sealed cookie finds.

A stranger who signs in keeps what they chose: the first time that the user's cart is asked for with
the cookie of a stranger's, the two become one. A cart promises nothing; `POST /quotes` prices it.
"""

from uuid import UUID

import msgspec

from application.ordering.wishes import (
    CART_SEAL,
    AddressInput,
    Quantity,
    Shopper,
    address_of,
)
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.seals import Seals
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import NotForSale, Product, ProductStatus
from domain.licensing.terms import ProductType
from domain.ordering.address import Address
from domain.ordering.cart import Cart, CartOrdered
from domain.ordering.discount import DiscountNotUsable, discount_code
from domain.ordering.order import OrderInvalid, PaymentStatus
from domain.shared.errors import NotFound


class PutItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what is in the cart already, more."""

    product_id: UUID
    quantity: Quantity = 1


class ChangeItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    quantity: Quantity


class EnterCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str


class SendTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Null takes the address away."""

    address: AddressInput | None


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item is named by its product. `seen_price_cents` is what a piece cost when it was put in;
    where `price_changed`, the present price is another. `for_sale` is false for what has left the
    shop since: remove it, or it stands in the way of a checkout."""

    id: UUID
    title: str
    product_type: ProductType
    store_id: UUID
    quantity: int
    unit_price_cents: int
    seen_price_cents: int
    price_changed: bool
    currency: str
    for_sale: bool


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is null while nothing was put in. `order_id` is an order that waits for its payment:
    until it is paid or cancelled the cart does not change."""

    id: UUID | None
    items: list[CartLine]
    discount_codes: list[str]
    shipping_address: AddressInput | None
    subtotal_cents: int
    order_id: UUID | None


class KeptCart(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is what the stranger's cookie holds from now on; None for a user, who needs none."""

    view: CartView
    token: str | None


class Carts:
    """The cart of one shopper, within one unit of work."""

    def __init__(
        self, shopper: Shopper, *, uow: UnitOfWork, clock: Clock, ids: Ids, seals: Seals
    ) -> None:
        self._shopper = shopper
        self._uow = uow
        self._clock = clock
        self._ids = ids
        self._seals = seals

    async def show(self) -> KeptCart:
        async with self._uow as uow:
            cart = await self._open()
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def put(self, command: PutItem) -> KeptCart:
        """Raises NotFound, NotForSale, OrderInvalid, CartFull, CartOrdered."""
        async with self._uow as uow:
            cart = await self._to_change()
            product = await self._on_sale(command.product_id, cart)
            cart.put(
                product.id,
                command.quantity,
                price_cents=product.price_cents,
                at=self._clock.now(),
            )
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def change(self, product_id: UUID, command: ChangeItem) -> KeptCart:
        """Raises NotFound, NotForSale, CartFull, CartOrdered."""
        async with self._uow as uow:
            cart = await self._to_change()
            if all(item.product_id != product_id for item in cart.items):
                raise NotFound("cart item", product_id)
            product = await self._on_sale(product_id, cart)
            cart.change(
                product_id,
                command.quantity,
                price_cents=product.price_cents,
                at=self._clock.now(),
            )
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def remove(self, product_id: UUID) -> KeptCart:
        """Raises NotFound, CartOrdered."""
        async with self._uow as uow:
            cart = await self._to_change()
            cart.remove(product_id, at=self._clock.now())
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def enter_code(self, command: EnterCode) -> KeptCart:
        """Raises DiscountInvalid, DiscountNotUsable, CartFull, CartOrdered."""
        code, now = discount_code(command.code), self._clock.now()
        async with self._uow as uow:
            cart = await self._to_change()
            products = await uow.products.many([item.product_id for item in cart.items])
            offered = await uow.discounts.offered({p.store_id for p in products}, [code])
            currencies = {p.currency for p in products}
            if not any(
                discount.code == code and discount.applies(at=now, currency=currency)
                for discount in offered
                for currency in currencies
            ):
                raise DiscountNotUsable("The code cannot be used for this cart.")
            cart.enter(code, at=now)
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def withdraw_code(self, code: str) -> KeptCart:
        """Raises DiscountInvalid, NotFound, CartOrdered."""
        async with self._uow as uow:
            cart = await self._to_change()
            cart.withdraw(discount_code(code), at=self._clock.now())
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def send_to(self, command: SendTo) -> KeptCart:
        """Raises AddressInvalid, CartOrdered."""
        address = address_of(command.address)
        async with self._uow as uow:
            cart = await self._to_change()
            cart.send_to(address, at=self._clock.now())
            kept = await self._kept(cart)
            await uow.commit()
        return kept

    async def _to_change(self) -> Cart:
        cart = await self._open()
        if cart.order_id is not None:
            raise CartOrdered("An order of this cart waits for its payment.")
        return cart

    async def _open(self) -> Cart:
        """The shopper's cart, locked; a new one where there is none, or where it was bought."""
        guests = await self._of_cookie()
        if self._shopper.actor is None:
            return await self._current(guests) or self._new(None)
        user_id = self._shopper.actor.user_id
        own = await self._current(await self._uow.carts.of_user(user_id, lock=True))
        own = own or self._new(user_id)
        if guests is not None and guests.order_id is None and own.order_id is None:
            own.merge(guests, at=self._clock.now())
        return own

    async def _of_cookie(self) -> Cart | None:
        cart_id = self._shopper.guest_cart_id(self._seals)
        if cart_id is None:
            return None
        try:
            cart = await self._uow.carts.get(cart_id, lock=True)
        except NotFound:
            return None
        return None if cart.closed or cart.user_id is not None else cart

    async def _current(self, cart: Cart | None) -> Cart | None:
        """The cart with its last order looked up: paid closes it, over frees it."""
        if cart is None or cart.order_id is None:
            return cart
        order = await self._uow.orders.get(cart.order_id)
        if order.payment_status is PaymentStatus.PAID:
            await self._uow.carts.close(cart)
            return None
        if not order.is_live:
            cart.order_id = None
        return cart

    def _new(self, user_id: UUID | None) -> Cart:
        now = self._clock.now()
        cart = Cart(id=self._ids.new(), user_id=user_id, created_at=now, updated_at=now)
        self._fresh = cart
        return cart

    _fresh: Cart | None = None

    async def _on_sale(self, product_id: UUID, cart: Cart) -> Product:
        """A product that can be put beside what is there."""
        product = await self._uow.products.get(product_id)
        if product.status is ProductStatus.DRAFT:
            raise NotFound("product", product_id)
        if product.status is not ProductStatus.ACTIVE:
            raise NotForSale("The product is not for sale.", product_id=str(product_id))
        others = await self._uow.products.many([item.product_id for item in cart.items])
        if any(other.currency != product.currency for other in others):
            raise OrderInvalid(
                "A cart has one currency.", fields={"product_id": ["has another currency"]}
            )
        return product

    async def _kept(self, cart: Cart) -> KeptCart:
        """What is shown; a new cart is kept only once there is something in it."""
        is_empty = not (cart.items or cart.codes or cart.ship_to)
        if cart is self._fresh:
            if is_empty:
                return KeptCart(view=await self._view(cart, new=True), token=None)
            self._uow.carts.add(cart)
        token = self._seals.seal(CART_SEAL, cart.id.bytes) if cart.user_id is None else None
        return KeptCart(view=await self._view(cart), token=token)

    async def _view(self, cart: Cart, *, new: bool = False) -> CartView:
        products = {
            p.id: p for p in await self._uow.products.many([i.product_id for i in cart.items])
        }
        lines = [
            CartLine(
                id=item.product_id,
                title=product.title,
                product_type=product.product_type,
                store_id=product.store_id,
                quantity=item.quantity,
                unit_price_cents=product.price_cents,
                seen_price_cents=item.seen_price_cents,
                price_changed=product.price_cents != item.seen_price_cents,
                currency=product.currency,
                for_sale=product.status is ProductStatus.ACTIVE,
            )
            for item in cart.items
            if (product := products.get(item.product_id)) is not None
        ]
        address = cart.ship_to
        return CartView(
            id=None if new else cart.id,
            items=lines,
            discount_codes=list(cart.codes),
            shipping_address=_shown(address) if address else None,
            subtotal_cents=sum(line.unit_price_cents * line.quantity for line in lines),
            order_id=cart.order_id,
        )


def _shown(address: Address) -> AddressInput:
    names = AddressInput.__struct_fields__
    return AddressInput(**{name: getattr(address, name) for name in names})
