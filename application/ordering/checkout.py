"""Place an order and open its payment page.

The order comes first, complete and frozen: prices, licence versions, who gets what. Then, with no
transaction open, the payment page under the key `checkout:{order}`. Whoever asks again with the
same idempotency key gets the same order and the same page, also after a failure in between.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.catalogue.gates import Proposal, ask_gates, load_offers
from application.ledger.payees import BrowserUrl
from application.licensing.usage import free_usage
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.payments import CheckoutLine, CheckoutPage, CheckoutRequest, Payments
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import NotForSale, OutOfStock, Product, ProductStatus
from domain.catalogue.template import TEMPLATES
from domain.identity.actor import Actor
from domain.licensing.decision import Reason
from domain.licensing.use import Action
from domain.ordering.fees import FeeSchedule, sale_kind_of
from domain.ordering.order import Order, OrderInvalid, OrderLine, PaymentStatus
from domain.ordering.split import Line, split
from domain.shared.errors import Conflict, NotFound, RuleRefused
from domain.shared.money import rules_of

PAYMENT_WINDOW = timedelta(minutes=60)
FIRST_RECONCILE = timedelta(minutes=2)


class CartItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    product_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class StartCheckout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    items: Annotated[list[CartItem], msgspec.Meta(min_length=1, max_length=100)]
    success_url: BrowserUrl
    cancel_url: BrowserUrl


class CheckoutStarted(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID
    session_id: str
    url: str
    expires_at: datetime


class SaleRefused(RuleRefused):
    """A gate of at least one line is closed; `reasons` names them all, with their product."""

    code = "sale_refused"

    def __init__(self, refused: Sequence[tuple[UUID, Reason]]) -> None:
        super().__init__(
            "It cannot be sold: " + " ".join(reason.message for _, reason in refused),
            reasons=[
                {"product_id": str(product_id), **{f: getattr(reason, f) for f in _REASON_FIELDS}}
                for product_id, reason in refused
            ],
        )


class ChargeTooSmall(RuleRefused):
    """Below what the payment provider charges at all."""

    code = "charge_too_small"


class OrderEnded(Conflict):
    """The order under this idempotency key was paid or has ended: start a new checkout."""

    code = "order_ended"


_REASON_FIELDS = ("code", "field", "limit", "value", "message")


async def start_checkout(
    command: StartCheckout,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    payments: Payments,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
) -> CheckoutStarted:
    """Place the order, then open its page.

    Raises NotFound, NotForSale, OutOfStock, SaleRefused, OrderInvalid, ChargeTooSmall, provider
    errors. After Unavailable or OutcomeUnknown the same request may be made again.
    """
    order = await _place_or_find(
        command, request_key=request_key, actor=actor, uow=uow, clock=clock, ids=ids, fees=fees
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
    )


def _page_of(order: Order) -> CheckoutPage | None:
    if order.session_id is None or order.checkout_url is None:
        return None
    return CheckoutPage(
        session_id=order.session_id, url=order.checkout_url, expires_at=order.expires_at
    )


async def _place_or_find(
    command: StartCheckout,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
) -> Order:
    async with uow:
        order = await uow.orders.by_request_key(actor.user_id, request_key)
        if order is not None:
            return _same_request(order, command)
        order = await _freeze(
            command, request_key=request_key, actor=actor, uow=uow, clock=clock, ids=ids, fees=fees
        )
        uow.orders.add(order)
        await uow.commit()
    return order


def _same_request(order: Order, command: StartCheckout) -> Order:
    if _wanted(command) != {line.product_id: line.quantity for line in order.lines}:
        raise KeyReused
    if order.payment_status is not PaymentStatus.UNPAID:
        raise OrderEnded("The order under this idempotency key has been paid or has ended.")
    return order


async def _freeze(
    command: StartCheckout,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    fees: FeeSchedule,
) -> Order:
    now = clock.now()
    wanted = _wanted(command)
    products = {p.id: p for p in await uow.products.many(wanted)}
    _check_for_sale(products, wanted)
    offers = await load_offers(list(products.values()), uow=uow, at=now)
    verdicts = {
        product_id: ask_gates(offer, Proposal(action=Action.SELL, at=now), fees=fees)
        for product_id, offer in offers.items()
    }
    refused = [
        (product_id, reason)
        for product_id, verdict in verdicts.items()
        for reason in (*verdict.decision.reasons, *verdict.closed_gates)
    ]
    if refused:
        raise SaleRefused(refused)
    limited = await uow.products.reserve(wanted)
    currency = next(iter(products.values())).currency
    order = Order(
        id=ids.new(),
        buyer_id=actor.user_id,
        request_key=request_key,
        currency=currency,
        total_cents=sum(products[p].price_cents * quantity for p, quantity in wanted.items()),
        fees_version=fees.version,
        created_at=now,
        expires_at=now + PAYMENT_WINDOW,
        reconcile_at=now + FIRST_RECONCILE,
    )
    minimum_cents = rules_of(currency).minimum_charge_cents
    if order.total_cents < minimum_cents:
        raise ChargeTooSmall("The total is below the smallest charge.", minimum_cents=minimum_cents)
    for position, (product_id, quantity) in enumerate(wanted.items()):
        product, offer = products[product_id], offers[product_id]
        terms = offer.standing.terms_in_force()
        total_cents = product.price_cents * quantity
        order.lines.append(
            OrderLine(
                id=ids.new(),
                order_id=order.id,
                position=position,
                product_id=product.id,
                store_id=product.store_id,
                creator_id=product.creator_id,
                asset_id=product.asset_id,
                product_type=product.product_type,
                title=product.title,
                unit_price_cents=product.price_cents,
                quantity=quantity,
                total_cents=total_cents,
                terms_id=terms.id,
                terms_version=terms.version,
                terms_hash=terms.hash,
                decision=verdicts[product_id].decision,
                stock_reserved=product_id in limited,
                legs=split(
                    Line(
                        total_cents,
                        quantity,
                        TEMPLATES[product.product_type].cost_cents(currency),
                        terms.terms.royalty,
                        product.creator_id,
                        product.store_id,
                    ),
                    fees.rate_of(sale_kind_of(product.product_type)),
                ),
            )
        )
    return order


def _wanted(command: StartCheckout) -> dict[UUID, int]:
    """Pieces per product; a product named twice is one line."""
    wanted: dict[UUID, int] = {}
    for item in command.items:
        wanted[item.product_id] = wanted.get(item.product_id, 0) + item.quantity
    return wanted


def _check_for_sale(products: dict[UUID, Product], wanted: dict[UUID, int]) -> None:
    for product_id in wanted:
        product = products.get(product_id)
        if product is None or product.status is ProductStatus.DRAFT:
            raise NotFound("product", product_id)
        if product.status is ProductStatus.OUT_OF_STOCK:
            raise OutOfStock("The product is sold out.", product_id=str(product_id))
        if product.status is not ProductStatus.ACTIVE:
            raise NotForSale("The product is not for sale.", product_id=str(product_id))
    currencies = {product.currency for product in products.values()}
    if len(currencies) > 1:
        raise OrderInvalid(
            "An order has one currency.",
            fields={"items": [f"are priced in {', '.join(sorted(currencies))}"]},
        )


async def _open_page(
    order: Order, command: StartCheckout, *, uow: UnitOfWork, payments: Payments
) -> CheckoutPage:
    request = CheckoutRequest(
        order_id=order.id,
        currency=order.currency,
        lines=tuple(
            CheckoutLine(
                title=line.title, unit_price_cents=line.unit_price_cents, quantity=line.quantity
            )
            for line in order.lines
        ),
        customer_email=None,
        success_url=command.success_url,
        cancel_url=command.cancel_url,
        expires_at=order.expires_at,
    )
    try:
        return await payments.start_checkout(request)
    except Rejected:
        async with uow:
            if await uow.orders.close_unpaid(order.id, status=PaymentStatus.FAILED):
                await free_usage(order.id, uow=uow)
            await uow.commit()
        raise
