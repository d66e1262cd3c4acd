"""Place an order and open its payment page.

The basket is priced, its tax is asked for with no transaction open, and then one transaction prices
it again, makes sure that it is still the same, and holds everything it needs: stock, uses of
discounts, parts of quotas. The order is complete and frozen from then on: prices, licence versions,
who gets what. Last, again with no transaction open, the payment page under `checkout:{order}`.
Whoever asks again with the same idempotency key gets the same order and the same page, also after a
failure in between.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from application.ledger.payees import BrowserUrl
from application.ordering.basket import (
    PricedBasket,
    SaleRefused,
    ask_tax,
    price_basket,
    same_before_tax,
    taxed_as,
)
from application.ordering.closing import close_order
from application.ordering.placing import ChargeTooSmall, place
from application.ordering.quotes import check_quote
from application.ordering.wishes import CartItem, Shopper, Wish, address_of, basket_of, pieces_of
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.payments import CheckoutLine, CheckoutPage, CheckoutRequest, Payments
from application.ports.seals import Seals
from application.ports.taxes import Taxes
from application.ports.unit_of_work import UnitOfWork
from domain.identity.email import normalised_email
from domain.licensing.territories import COUNTRIES
from domain.ordering.fees import FeeSchedule
from domain.ordering.order import ANYWHERE, Order, OrderLine, PaymentStatus
from domain.shared.errors import Conflict, Invalid
from domain.shared.money import Currency, rules_of

__all__ = ["CartItem", "ChargeTooSmall", "SaleRefused", "StartCheckout", "start_checkout"]

ORDER_SEAL = "order"
MAX_PAGE_LINES = 100
_PRICINGS = 3
"""How often a basket is priced anew when it changes while its tax is asked for."""


class StartCheckout(Wish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Guests name an `email`. A `quote_token` makes another price than the quoted one a refusal."""

    success_url: BrowserUrl
    cancel_url: BrowserUrl
    email: str | None = None
    quote_token: str | None = None


class CheckoutStarted(msgspec.Struct, frozen=True, kw_only=True):
    """`order_token` lets a guest read the order, as header `Order-Token`; users have none."""

    order_id: UUID
    session_id: str
    url: str
    expires_at: datetime
    order_token: str | None = None


class OrderEnded(Conflict):
    """The order under this idempotency key was paid or has ended: start a new checkout."""

    code = "order_ended"


class BasketChanging(Conflict):
    """Prices changed while they were computed: ask again."""

    code = "basket_changing"


class EmailRequired(Invalid):
    """Who is not signed in says where to write to."""

    code = "email_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopkeeping:
    """What both placing an order and pricing it need."""

    uow: UnitOfWork
    clock: Clock
    ids: Ids
    taxes: Taxes
    seals: Seals
    fees: FeeSchedule
    address_required: bool


async def start_checkout(
    command: StartCheckout,
    *,
    request_key: str,
    shopper: Shopper,
    payments: Payments,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    taxes: Taxes,
    seals: Seals,
    fees: FeeSchedule,
    address_required: bool = False,
) -> CheckoutStarted:
    """Place the order, then open its page.

    Raises what pricing raises, QuoteChanged and its kin, DiscountUsedUp, OutOfStock, CartOrdered,
    EmailRequired, ChargeTooSmall, provider errors. After Unavailable or OutcomeUnknown the same
    request may be made again.
    """
    email = _email(command, shopper)
    with_all = Shopkeeping(
        uow=uow, clock=clock, ids=ids, taxes=taxes, seals=seals, fees=fees,
        address_required=address_required,
    )  # fmt: skip
    order = await _place_or_find(
        command, email, request_key=request_key, shopper=shopper, by=with_all
    )
    page = _page_of(order) or await _open_page(order, command, uow=uow, payments=payments)
    if order.session_id is None:
        async with uow:
            stored = await uow.orders.get(order.id, lock=True)
            stored.session_id, stored.checkout_url = page.session_id, page.url
            await uow.commit()
    return CheckoutStarted(
        order_id=order.id,
        session_id=page.session_id,
        url=page.url,
        expires_at=order.expires_at,
        order_token=seals.seal(ORDER_SEAL, order.id.bytes) if order.buyer_id is None else None,
    )


def _email(command: StartCheckout, shopper: Shopper) -> str | None:
    """Raises EmailRequired, InvalidEmail."""
    if command.email is not None:
        return normalised_email(command.email)
    if shopper.actor is None:
        raise EmailRequired(
            "Who is not signed in says where to write to.", fields={"email": ["is required"]}
        )
    return None


def _page_of(order: Order) -> CheckoutPage | None:
    if order.session_id is None or order.checkout_url is None:
        return None
    return CheckoutPage(
        session_id=order.session_id, url=order.checkout_url, expires_at=order.expires_at
    )


async def _place_or_find(
    command: StartCheckout,
    email: str | None,
    *,
    request_key: str,
    shopper: Shopper,
    by: Shopkeeping,
) -> Order:
    buyer_id = shopper.actor.user_id if shopper.actor else None
    address = address_of(command.shipping_address)
    for _ in range(_PRICINGS):
        taxed: PricedBasket | None = None
        if address is not None or command.cart_id is not None or by.address_required:
            taxed = await _price_with_tax(command, email, request_key, shopper=shopper, by=by)
        async with by.uow as uow:
            order = await uow.orders.by_request_key(buyer_id, request_key, guest_email=email)
            if order is not None:
                return _same_request(order, command)
            basket, cart = await basket_of(
                command, shopper=shopper, uow=uow, seals=by.seals, lock=True
            )
            now = by.clock.now()
            priced = await price_basket(basket, uow=uow, at=now, fees=by.fees)
            if taxed is not None:
                if not same_before_tax(taxed, priced) or taxed.basket.ship_to != basket.ship_to:
                    continue
                priced = taxed_as(priced, taxed)
            check_quote(command.quote_token, priced, seals=by.seals, at=now)
            order = await place(
                priced,
                request_key=request_key,
                shopper=shopper,
                email=email,
                cart=cart,
                at=now,
                uow=uow,
                ids=by.ids,
            )
            await uow.commit()
            return order
    raise BasketChanging("Prices changed while they were computed: ask again.")


async def _price_with_tax(
    command: StartCheckout,
    email: str | None,
    request_key: str,
    *,
    shopper: Shopper,
    by: Shopkeeping,
) -> PricedBasket | None:
    """None for an order that is placed already: its tax is frozen."""
    buyer_id = shopper.actor.user_id if shopper.actor else None
    async with by.uow as uow:
        if await uow.orders.by_request_key(buyer_id, request_key, guest_email=email) is not None:
            return None
        basket, _ = await basket_of(command, shopper=shopper, uow=uow, seals=by.seals)
        priced = await price_basket(basket, uow=uow, at=by.clock.now(), fees=by.fees)
    return await ask_tax(priced, taxes=by.taxes, address_required=by.address_required)


def _same_request(order: Order, command: StartCheckout) -> Order:
    if command.cart_id is not None:
        same = order.cart_id == command.cart_id and command.items is None
    else:
        same = pieces_of(command, None) == {line.product_id: line.quantity for line in order.lines}
    if not same:
        raise KeyReused
    if order.payment_status is not PaymentStatus.UNPAID:
        raise OrderEnded("The order under this idempotency key has been paid or has ended.")
    return order


async def _open_page(
    order: Order, command: StartCheckout, *, uow: UnitOfWork, payments: Payments
) -> CheckoutPage:
    anywhere = order.ship_countries == ANYWHERE
    request = CheckoutRequest(
        order_id=order.id,
        currency=order.currency,
        lines=page_lines(order),
        customer_email=order.buyer_email,
        allowed_countries=tuple(sorted(COUNTRIES)) if anywhere else order.ship_countries,
        success_url=command.success_url,
        cancel_url=command.cancel_url,
        expires_at=order.expires_at,
    )
    try:
        return await payments.start_checkout(request)
    except Rejected:
        await close_order(order.id, PaymentStatus.FAILED, uow=uow)
        raise


def page_lines(order: Order) -> tuple[CheckoutLine, ...]:
    """What the page shows, adding up to the order's total.

    A line is shown by the piece where its price after discounts divides, otherwise as one; shipping
    and tax are lines of their own, unless that makes more than a page holds.
    """
    if len(order.lines) + 2 > MAX_PAGE_LINES:
        return tuple(_as_one(line, line.total_cents) for line in order.lines)
    lines = [_by_the_piece(line, order.currency) for line in order.lines]
    for title, cents in (
        ("Shipping", sum(line.shipping_cents for line in order.lines)),
        ("Tax", sum(line.tax_cents for line in order.lines)),
    ):
        if cents:
            lines.append(CheckoutLine(title=title, unit_price_cents=cents, quantity=1))
    return tuple(lines)


def _by_the_piece(line: OrderLine, currency: Currency) -> CheckoutLine:
    net_cents = line.unit_price_cents * line.quantity - line.discount_cents
    unit_cents, rest = divmod(net_cents, line.quantity)
    quantum = rules_of(currency).quantum
    if rest or unit_cents % quantum:
        return _as_one(line, net_cents)
    return CheckoutLine(title=line.title, unit_price_cents=unit_cents, quantity=line.quantity)


def _as_one(line: OrderLine, cents: int) -> CheckoutLine:
    title = line.title if line.quantity == 1 else f"{line.quantity} × {line.title}"
    return CheckoutLine(title=title, unit_price_cents=cents, quantity=1)
