"""The cart: of the signed-in user, or of a stranger's cookie.

The cookie is `HttpOnly` and `SameSite=Lax`, so a page elsewhere cannot send it with a change; every
change takes JSON or a method that a form does not have, and no origin is allowed credentials. So
another site can neither read nor change a stranger's cart. Users are known by their bearer token.
"""

from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, get, patch, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from application.ordering.carts import (
    Carts,
    CartView,
    ChangeItem,
    EnterCode,
    KeptCart,
    PutItem,
    SendTo,
)
from application.ordering.wishes import AddressInvalid
from domain.catalogue.product import NotForSale
from domain.ordering.cart import CartFull, CartOrdered
from domain.ordering.discount import DiscountInvalid, DiscountNotUsable
from domain.ordering.order import OrderInvalid
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CART_COOKIE, TheShopper
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.exchange import exchange_of
from entrypoints.http.parameters import TheClock, TheIds, TheSeals, TheUnitOfWork

COOKIE_LIFE_S = 30 * 24 * 3600

TheCarts = NamedDependency[SkipValidation[Carts]]
AnyRequest = Request[Any, Any, Any]


def _carts(
    shopper: TheShopper, uow: TheUnitOfWork, clock: TheClock, ids: TheIds, seals: TheSeals
) -> Carts:
    return Carts(shopper, uow=uow, clock=clock, ids=ids, seals=seals)


def _answer(kept: KeptCart, request: AnyRequest) -> Data[CartView]:
    """The cart; a stranger's browser keeps its token, a user's forgets the one it had."""
    had = CART_COOKIE in request.cookies
    if kept.token is not None or (had and exchange_of(request.scope).actor is not None):
        value, life_s = (kept.token, COOKIE_LIFE_S) if kept.token else ("", 0)
        secure = "; Secure" if request.url.scheme == "https" else ""
        exchange_of(request.scope).answer_headers["Set-Cookie"] = (
            f"{CART_COOKIE}={value}; Max-Age={life_s}; Path=/api/v1; HttpOnly; SameSite=Lax{secure}"
        )
    return Data(kept.view)


@get("/")
async def read_cart(carts: TheCarts, request: AnyRequest) -> Data[CartView]:
    """What is in the cart, at present prices. Signing in takes a stranger's cart along."""
    return _answer(await carts.show(), request)


@post(
    "/items",
    status_code=200,
    responses=errors(NotFound, NotForSale, OrderInvalid, CartFull, CartOrdered),
)
async def put_item(data: JSONBody[PutItem], carts: TheCarts, request: AnyRequest) -> Data[CartView]:
    """Put pieces of a product in."""
    return _answer(await carts.put(data), request)


@patch("/items/{item_id:uuid}", responses=errors(NotFound, NotForSale, CartFull, CartOrdered))
async def change_item(
    item_id: FromPath[UUID], data: JSONBody[ChangeItem], carts: TheCarts, request: AnyRequest
) -> Data[CartView]:
    """So many pieces from now on, at the present price."""
    return _answer(await carts.change(item_id, data), request)


@delete("/items/{item_id:uuid}", status_code=200, responses=errors(NotFound, CartOrdered))
async def remove_item(
    item_id: FromPath[UUID], carts: TheCarts, request: AnyRequest
) -> Data[CartView]:
    """Take a product out."""
    return _answer(await carts.remove(item_id), request)


@post(
    "/discount-codes",
    status_code=200,
    responses=errors(DiscountInvalid, DiscountNotUsable, CartFull, CartOrdered),
)
async def enter_code(
    data: JSONBody[EnterCode], carts: TheCarts, request: AnyRequest
) -> Data[CartView]:
    """Enter a code that applies to something in the cart; quotes and checkouts of it use it."""
    return _answer(await carts.enter_code(data), request)


@delete(
    "/discount-codes/{code:str}",
    status_code=200,
    responses=errors(NotFound, DiscountInvalid, CartOrdered),
)
async def withdraw_code(
    code: FromPath[str], carts: TheCarts, request: AnyRequest
) -> Data[CartView]:
    """Take a code out."""
    return _answer(await carts.withdraw_code(code), request)


@put("/shipping-address", responses=errors(AddressInvalid, CartOrdered))
async def send_to(data: JSONBody[SendTo], carts: TheCarts, request: AnyRequest) -> Data[CartView]:
    """Say where it goes, so that shipping and tax can be quoted."""
    return _answer(await carts.send_to(data), request)


ROUTER = Router(
    "/api/v1/cart",
    route_handlers=[
        read_cart,
        put_item,
        change_item,
        remove_item,
        enter_code,
        withdraw_code,
        send_to,
    ],
    dependencies={"carts": Provide(_carts, sync_to_thread=False)},
    tags=["Cart"],
)
