"""What a basket costs, before anybody commits to it.

A quote is priced exactly as a checkout is. Its token is a seal over a hash of everything that the
price depends on: a checkout that brings it is refused with the old and the new total when anything
has changed, so that nobody pays another price than the one they saw.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, stores_for
from application.ordering.basket import PricedBasket, ask_tax, price_basket
from application.ordering.shipping import shipping_offers
from application.ordering.wishes import Shopper, Wish, basket_of
from application.ports.clock import Clock
from application.ports.seals import Seals
from application.ports.taxes import Taxes
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.shipping import ShippingOption
from domain.identity.actor import Actor
from domain.ordering.fees import FeeSchedule
from domain.ordering.pricing import PricedLine
from domain.ordering.split import Leg, LegKind, explain
from domain.shared.errors import Conflict, Gone, RuleRefused
from domain.shared.money import format_money

QUOTE_SEAL = "quote"
QUOTE_LIFE = timedelta(minutes=30)


class QuoteChanged(Conflict):
    """The price is another one than was quoted; `old_total_cents` and `new_total_cents` say."""

    code = "quote_changed"

    def __init__(self, *, old_cents: int, new_cents: int, currency: str) -> None:
        super().__init__(
            f"The total was {format_money(old_cents, currency)} "
            f"and is now {format_money(new_cents, currency)}: ask for a new quote.",
            fields={"old_total_cents": [str(old_cents)], "new_total_cents": [str(new_cents)]},
        )


class QuoteExpired(Gone):
    """Quotes hold for 30 minutes: ask for a new one."""

    code = "quote_expired"


class QuoteInvalid(RuleRefused):
    """The token is not one of ours."""

    code = "quote_invalid"


class CreateQuote(Wish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same basket as a checkout's."""


class QuotedDiscount(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_cents` off the whole line. `by_platform`: it costs neither store nor creator."""

    discount_id: UUID
    code: str | None
    title: str
    amount_cents: int
    by_platform: bool


class QuotedLine(msgspec.Struct, frozen=True, kw_only=True):
    """`total_cents` is unit price × quantity − discount + shipping + tax."""

    product_id: UUID
    store_id: UUID
    title: str
    unit_price_cents: int
    quantity: int
    discount_cents: int
    discounts: list[QuotedDiscount]
    shipping_cents: int
    tax_cents: int
    total_cents: int


class QuotedShipping(msgspec.Struct, frozen=True, kw_only=True):
    option: ShippingOption
    amount_cents: int


class PreviewedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One party's part of a line, as it would be if it were bought now."""

    product_id: UUID
    kind: LegKind
    payee_id: UUID | None
    amount_cents: int
    reason: str


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """`unused_codes` are valid and take nothing off here, for a better discount applies or no line
    is eligible. `shipping_options` is empty where shipping costs nothing. `countries` is where it
    may go, while no address is known. `split` has the parts of those whom the caller acts for."""

    currency: str
    lines: list[QuotedLine]
    subtotal_cents: int
    discount_cents: int
    shipping_cents: int
    tax_cents: int
    total_cents: int
    unused_codes: list[str]
    shipping_options: list[QuotedShipping]
    countries: list[str] | None
    split: list[PreviewedLeg]
    token: str
    expires_at: datetime


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: str
    total_cents: int
    expires_at: datetime


async def make_quote(
    command: CreateQuote,
    *,
    shopper: Shopper,
    uow: UnitOfWork,
    clock: Clock,
    taxes: Taxes,
    seals: Seals,
    fees: FeeSchedule,
    address_required: bool,
) -> QuoteView:
    """Raises what a checkout of the same basket would, but reserves nothing."""
    now = clock.now()
    async with uow:
        basket, _ = await basket_of(command, shopper=shopper, uow=uow, seals=seals)
        priced = await price_basket(basket, uow=uow, at=now, fees=fees)
        own = await _payees_of(shopper.actor, priced, uow=uow)
    priced = await ask_tax(priced, taxes=taxes, address_required=address_required)
    expires_at = now + QUOTE_LIFE
    sealed = _Sealed(priced.fingerprint(), priced.price.total_cents, expires_at)
    price = priced.price
    applied = {discount.code for line in price.lines for discount in line.discounts}
    return QuoteView(
        currency=price.currency,
        lines=[_line(line, priced) for line in price.lines],
        subtotal_cents=price.subtotal_cents,
        discount_cents=price.discount_cents,
        shipping_cents=price.shipping_cents,
        tax_cents=price.tax_cents,
        total_cents=price.total_cents,
        unused_codes=[code for code in basket.codes if code not in applied],
        shipping_options=[
            QuotedShipping(option=option, amount_cents=cents)
            for option, cents in shipping_offers(
                basket, priced.offers, priced.countries, priced.currency
            ).items()
        ],
        countries=None if priced.countries is None else sorted(priced.countries),
        split=_preview(priced, own, everything=bool(shopper.actor and shopper.actor.is_admin)),
        token=seals.seal(QUOTE_SEAL, msgspec.json.encode(sealed)),
        expires_at=expires_at,
    )


def check_quote(token: str | None, priced: PricedBasket, *, seals: Seals, at: datetime) -> None:
    """Raises QuoteInvalid, QuoteExpired, QuoteChanged; without a token anything goes."""
    if token is None:
        return
    content = seals.open(QUOTE_SEAL, token)
    if content is None:
        raise QuoteInvalid("This is no quote of ours.")
    quoted = msgspec.json.decode(content, type=_Sealed)
    if quoted.expires_at <= at:
        raise QuoteExpired("The quote has expired: ask for a new one.")
    if quoted.fingerprint != priced.fingerprint():
        raise QuoteChanged(
            old_cents=quoted.total_cents,
            new_cents=priced.price.total_cents,
            currency=priced.currency,
        )


async def _payees_of(
    actor: Actor | None, priced: PricedBasket, *, uow: UnitOfWork
) -> frozenset[UUID]:
    """The payees of the basket whose money the actor may see."""
    if actor is None:
        return frozenset()
    own = {store.id for store in await stores_for(StoreAct.MONEY, actor=actor, uow=uow)}
    creators = {
        offer.standing.creator.id
        for offer in priced.offers.values()
        if offer.standing.creator.user_id == actor.user_id
    }
    return frozenset(own | creators)


def _preview(priced: PricedBasket, own: frozenset[UUID], *, everything: bool) -> list[PreviewedLeg]:
    """Also splits what nobody sees: a margin below nothing is refused here as at checkout."""
    shown: list[PreviewedLeg] = []
    for line in priced.price.lines:
        royalty = priced.royalty_of(line.product_id)
        shown += [
            _leg(line.product_id, leg, priced.currency)
            for leg in priced.legs(line, royalty)
            if everything or leg.payee_id in own
        ]
    return shown


def _leg(product_id: UUID, leg: Leg, currency: str) -> PreviewedLeg:
    return PreviewedLeg(
        product_id=product_id,
        kind=leg.kind,
        payee_id=leg.payee_id,
        amount_cents=leg.amount_cents,
        reason=explain(leg.kind, leg.reason, currency),
    )


def _line(line: PricedLine, priced: PricedBasket) -> QuotedLine:
    return QuotedLine(
        product_id=line.product_id,
        store_id=line.store_id,
        title=priced.offers[line.product_id].product.title,
        unit_price_cents=line.unit_price_cents,
        quantity=line.quantity,
        discount_cents=line.discount_cents,
        discounts=[QuotedDiscount(**discount._asdict()) for discount in line.discounts],
        shipping_cents=line.shipping_cents,
        tax_cents=line.tax_cents,
        total_cents=line.total_cents,
    )
