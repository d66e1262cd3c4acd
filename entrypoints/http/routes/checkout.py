"""Quotes and checkout, for users and for guests."""

from typing import Any

from litestar import Request, Router, post
from litestar.params import JSONBody

from application.licensing.standing import NoLicence
from application.ordering import checkout, quotes
from application.ordering.basket import AddressRequired, SaleRefused
from application.ordering.checkout import (
    BasketChanging,
    CheckoutStarted,
    EmailRequired,
    OrderEnded,
    StartCheckout,
)
from application.ordering.placing import ChargeTooSmall
from application.ordering.quotes import (
    CreateQuote,
    QuoteChanged,
    QuoteExpired,
    QuoteInvalid,
    QuoteView,
)
from application.ordering.shipping import NowhereAllowed
from application.ordering.wishes import AddressInvalid, WishInvalid
from domain.catalogue.product import NotForSale, OutOfStock
from domain.catalogue.shipping import ShippingNotOffered
from domain.identity.email import InvalidEmail
from domain.ordering.cart import CartEmpty, CartOrdered
from domain.ordering.discount import DiscountInvalid, DiscountNotUsable, DiscountUsedUp
from domain.ordering.order import OrderInvalid
from domain.ordering.split import MarginNegative
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import TheShopper
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import (
    TheAddressRule,
    TheClock,
    TheFees,
    TheIds,
    ThePayments,
    TheSeals,
    TheTaxes,
    TheUnitOfWork,
)

_PRICING = (
    WishInvalid, AddressInvalid, DiscountInvalid, OrderInvalid, NotFound, NotForSale, OutOfStock,
    CartEmpty, DiscountNotUsable, ShippingNotOffered, NowhereAllowed, AddressRequired, NoLicence,
    SaleRefused, MarginNegative,
)  # fmt: skip
"""What makes a basket that nobody can buy."""


@post("/quotes", status_code=200, responses=errors(*_PRICING, 502, 503))
async def make_quote(
    data: JSONBody[CreateQuote],
    shopper: TheShopper,
    uow: TheUnitOfWork,
    clock: TheClock,
    taxes: TheTaxes,
    seals: TheSeals,
    fees: TheFees,
    address_required: TheAddressRule,
) -> Data[QuoteView]:
    """What a basket costs now, line by line, with every discount, shipping and tax. The token makes
    a checkout refuse any other price for 30 minutes. Who earns by it also sees their part."""
    return Data(
        await quotes.make_quote(
            data,
            shopper=shopper,
            uow=uow,
            clock=clock,
            taxes=taxes,
            seals=seals,
            fees=fees,
            address_required=address_required,
        )
    )


@post(
    "/checkout",
    opt=idempotent(required=True),
    responses=errors(
        *_PRICING, EmailRequired, InvalidEmail, QuoteChanged, QuoteExpired, QuoteInvalid,
        DiscountUsedUp, CartOrdered, BasketChanging, OrderEnded, ChargeTooSmall, 502, 503,
    ),
)  # fmt: skip
async def start_checkout(
    data: JSONBody[StartCheckout],
    request: Request[Any, Any, Any],
    shopper: TheShopper,
    uow: TheUnitOfWork,
    payments: ThePayments,
    clock: TheClock,
    ids: TheIds,
    taxes: TheTaxes,
    seals: TheSeals,
    fees: TheFees,
    address_required: TheAddressRule,
) -> Data[CheckoutStarted]:
    """Place an order and get the page where it is paid. Lines may come from several stores. Guests
    send an email address, and get a token that reads the order."""
    return Data(
        await checkout.start_checkout(
            data,
            request_key=request.headers["idempotency-key"],
            shopper=shopper,
            uow=uow,
            payments=payments,
            clock=clock,
            ids=ids,
            taxes=taxes,
            seals=seals,
            fees=fees,
            address_required=address_required,
        )
    )


ROUTER = Router("/api/v1", route_handlers=[make_quote, start_checkout], tags=["Checkout"])
