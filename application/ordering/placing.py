"""Make an order of a priced basket, holding what it needs: stock, discounts, quotas of licences."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from application.catalogue.gates import decided_on
from application.licensing.decisions import record_decisions
from application.licensing.usage import LineClaim, claim_usage
from application.ordering.basket import PricedBasket
from application.ordering.wishes import Shopper
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.record import DecisionPoint
from domain.licensing.royalty import Royalty
from domain.licensing.territories import COUNTRIES
from domain.ordering.cart import Cart, CartOrdered
from domain.ordering.order import ANYWHERE, Order, OrderLine
from domain.ordering.pricing import PricedLine
from domain.ordering.split import royalty_base_cents
from domain.shared.errors import RuleRefused
from domain.shared.money import rules_of

PAYMENT_WINDOW = timedelta(minutes=60)
FIRST_RECONCILE = timedelta(minutes=2)


class ChargeTooSmall(RuleRefused):
    """Below what the payment provider charges at all."""

    code = "charge_too_small"


async def place(
    priced: PricedBasket,
    *,
    request_key: str,
    shopper: Shopper,
    email: str | None,
    cart: Cart | None,
    at: datetime,
    uow: UnitOfWork,
    ids: Ids,
) -> Order:
    """The order, frozen and added. Within a transaction, which then holds locks in this order:
    cart, products, discounts, licences. A guest's decisions are kept under the order's id.

    Raises ChargeTooSmall, CartOrdered, OutOfStock, DiscountUsedUp, MarginNegative.
    """
    price = priced.price
    minimum_cents = rules_of(price.currency).minimum_charge_cents
    if price.total_cents < minimum_cents:
        raise ChargeTooSmall("The total is below the smallest charge.", minimum_cents=minimum_cents)
    if cart is not None and cart.order_id is not None:
        earlier = await uow.orders.get(cart.order_id)
        if earlier.is_live:
            raise CartOrdered("An order of this cart is not over yet.", order_id=str(earlier.id))
    order = Order(
        id=ids.new(),
        buyer_id=shopper.actor.user_id if shopper.actor else None,
        buyer_email=email,
        cart_id=cart.id if cart else None,
        request_key=request_key,
        currency=price.currency,
        total_cents=price.total_cents,
        fees_version=priced.fees.version,
        ship_to=priced.basket.ship_to,
        ship_countries=_kept_to(priced.countries),
        shipping_option=priced.basket.shipping_option,
        tax_calculation_id=priced.calculation_id,
        created_at=at,
        expires_at=at + PAYMENT_WINDOW,
        reconcile_at=at + FIRST_RECONCILE,
    )
    limited = await uow.products.reserve(priced.basket.pieces)
    if used := price.discount_ids():
        customer = customer_of(shopper, email)
        await uow.discounts.reserve(used, order_id=order.id, customer=customer)
    line_ids = {line.product_id: ids.new() for line in price.lines}
    claims = [_claim(line, line_ids[line.product_id], priced) for line in price.lines]
    royalties = await claim_usage(order.id, claims, uow=uow, at=at)
    for position, line in enumerate(price.lines):
        line_id = line_ids[line.product_id]
        order.lines.append(
            _line(
                line, priced, order.id, line_id, royalties[line_id],
                position=position, stock_reserved=line.product_id in limited,
            )
        )  # fmt: skip
    record_decisions(
        [
            decided_on(
                priced.verdicts[line.product_id],
                DecisionPoint.CHECKOUT,
                subject_id=line.id,
                terms=priced.offers[line.product_id].standing.terms_in_force(),
            )
            for line in order.lines
        ],
        actor=shopper.actor or Actor(order.id, frozenset()),
        uow=uow,
        ids=ids,
        at=at,
    )
    uow.orders.add(order)
    if cart is not None:
        cart.order_id, cart.updated_at = order.id, at
    return order


def customer_of(shopper: Shopper, email: str | None) -> str:
    """Tells customers apart, without saying who a guest is."""
    if shopper.actor is not None:
        return f"user:{shopper.actor.user_id}"
    return "guest:" + hashlib.sha256((email or "").encode()).hexdigest()


def _kept_to(countries: frozenset[str] | None) -> tuple[str, ...]:
    if countries is None:
        return ()
    return ANYWHERE if countries == COUNTRIES else tuple(sorted(countries))


def _claim(line: PricedLine, line_id: UUID, priced: PricedBasket) -> LineClaim:
    offer = priced.offers[line.product_id]
    terms = offer.standing.terms_in_force()
    return LineClaim(
        line_id=line_id,
        product_id=line.product_id,
        store_id=line.store_id,
        terms=terms,
        quantity=line.quantity,
        base_cents=royalty_base_cents(
            priced.split_line(line, priced.royalty_of(line.product_id)),
            priced.fee_of(line.product_id),
        ),
        currency=priced.currency,
        parties=tuple(offer.standing.versions()[1:]),
    )


def _line(
    line: PricedLine,
    priced: PricedBasket,
    order_id: UUID,
    line_id: UUID,
    royalty: Royalty,
    *,
    position: int,
    stock_reserved: bool,
) -> OrderLine:
    offer = priced.offers[line.product_id]
    product, terms = offer.product, offer.standing.terms_in_force()
    return OrderLine(
        id=line_id,
        order_id=order_id,
        position=position,
        product_id=product.id,
        store_id=product.store_id,
        creator_id=product.creator_id,
        asset_id=product.asset_id,
        product_type=product.product_type,
        title=product.title,
        unit_price_cents=line.unit_price_cents,
        quantity=line.quantity,
        discount_cents=line.discount_cents,
        platform_discount_cents=line.platform_discount_cents,
        shipping_cents=line.shipping_cents,
        tax_cents=line.tax_cents,
        total_cents=line.total_cents,
        terms_id=terms.id,
        terms_version=terms.version,
        terms_hash=terms.hash,
        decision=priced.verdicts[product.id].decision,
        stock_reserved=stock_reserved,
        discounts=line.discounts,
        legs=priced.legs(line, royalty),
    )
