"""What is to be bought, priced. Quotes and checkouts call the same functions, in the same order:

price_basket   prices, discounts, licences and shipping, within a transaction
ask_tax        tax on what is left, with no transaction open
legs           who gets what of it; a margin below nothing is refused here
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec

from application.catalogue.gates import Offer, Proposal, Verdict, ask_gates, load_offers
from application.ordering.shipping import countries_of, shipping_cents
from application.ordering.wishes import Basket
from application.ports.taxes import TaxableLine, TaxAddress, Taxes, TaxRequest
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import NotForSale, OutOfStock, Product, ProductStatus
from domain.catalogue.shipping import (
    class_of,
)
from domain.catalogue.template import TEMPLATES
from domain.licensing.decision import Reason
from domain.licensing.royalty import Royalty
from domain.licensing.use import Action
from domain.ordering.discount import usable
from domain.ordering.fees import FeeRate, FeeSchedule, sale_kind_of
from domain.ordering.order import OrderInvalid
from domain.ordering.pricing import Item, Price, PricedLine, price, with_shipping, with_tax
from domain.ordering.split import Leg, Line, split
from domain.shared.errors import NotFound, RuleRefused
from domain.shared.money import Currency


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


class AddressRequired(RuleRefused):
    """Tax is collected here, and depends on where it goes: send a shipping address."""

    code = "address_required"


_REASON_FIELDS = ("code", "field", "limit", "value", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedBasket:
    """`countries` is where it may go while nobody has said where it goes; None where nothing is
    shipped, or the address is known."""

    basket: Basket
    price: Price
    offers: Mapping[UUID, Offer]
    verdicts: Mapping[UUID, Verdict]
    fees: FeeSchedule
    countries: frozenset[str] | None
    priced_at: datetime
    calculation_id: str | None = None

    @property
    def currency(self) -> Currency:
        return self.price.currency

    def fee_of(self, product_id: UUID) -> FeeRate:
        return _fee(self.offers[product_id].product, self.fees)

    def royalty_of(self, product_id: UUID) -> Royalty:
        """The rule for it, as if nothing had been sold before."""
        offer = self.offers[product_id]
        terms = offer.standing.terms_in_force().terms
        return offer.circumstances.royalty(offer.product, terms, at=self.priced_at)

    def split_line(self, line: PricedLine, royalty: Royalty) -> Line:
        product = self.offers[line.product_id].product
        return Line(
            line.net_cents,
            line.quantity,
            TEMPLATES[product.product_type].cost_cents(self.currency),
            royalty,
            product.creator_id,
            product.store_id,
            line.platform_discount_cents,
            line.shipping_cents,
            line.tax_cents,
        )

    def legs(self, line: PricedLine, royalty: Royalty) -> tuple[Leg, ...]:
        """Raises MarginNegative."""
        return split(self.split_line(line, royalty), self.fee_of(line.product_id))

    def fingerprint(self) -> str:
        """A hash of everything that the price depends on, and of the price."""
        terms = {str(i): offer.standing.terms_in_force().hash for i, offer in self.offers.items()}
        seen = [
            self.currency,
            sorted(self.price.lines),
            sorted(self.basket.codes),
            self.basket.ship_to,
            self.basket.shipping_option,
            sorted(terms.items()),
            self.fees.version,
        ]
        return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()


async def price_basket(
    basket: Basket, *, uow: UnitOfWork, at: datetime, fees: FeeSchedule
) -> PricedBasket:
    """Price without tax, and ask the gates at the final unit prices. Within a transaction.

    Raises NotFound, NotForSale, OutOfStock, OrderInvalid, DiscountNotUsable, ShippingNotOffered,
    NowhereAllowed, NoLicence, SaleRefused.
    """
    products = {p.id: p for p in await uow.products.many(basket.pieces)}
    currency = _check_for_sale(products, basket.pieces)
    ordered = [products[product_id] for product_id in basket.pieces]
    offers = await load_offers(ordered, uow=uow, at=at)
    for offer in offers.values():
        offer.standing.terms_in_force()
    offered = await uow.discounts.offered({p.store_id for p in ordered}, basket.codes)
    items = [
        Item(p.id, p.store_id, p.price_cents, basket.pieces[p.id], _fee(p, fees)) for p in ordered
    ]
    priced = price(
        items, usable(offered, basket.codes, at=at, currency=currency), currency=currency
    )
    ships = any(class_of(product.product_type) is not None for product in ordered)
    countries = countries_of(offers, at) if ships and basket.ship_to is None else None
    priced = with_shipping(priced, shipping_cents(basket, offers, countries, currency))
    verdicts = {
        line.product_id: ask_gates(
            offers[line.product_id],
            Proposal(
                action=Action.SELL,
                at=at,
                unit_price_cents=line.final_unit_price_cents,
                territory=basket.ship_to.country if basket.ship_to else None,
                territories=countries,
                quantity=line.quantity,
            ),
            fees=fees,
        )
        for line in priced.lines
    }
    refused = [
        (product_id, reason)
        for product_id, verdict in verdicts.items()
        for reason in (*verdict.decision.reasons, *verdict.closed_gates)
    ]
    if refused:
        raise SaleRefused(refused)
    return PricedBasket(
        basket=basket,
        price=priced,
        offers=offers,
        verdicts=verdicts,
        fees=fees,
        countries=countries,
        priced_at=at,
    )


async def ask_tax(priced: PricedBasket, *, taxes: Taxes, address_required: bool) -> PricedBasket:
    """Add tax, with no transaction open. Without an address there is none, unless one is required.

    Raises AddressRequired, provider errors.
    """
    ship_to = priced.basket.ship_to
    if ship_to is None:
        if address_required:
            raise AddressRequired("Say where it goes: tax depends on it.")
        return priced
    quoted = await taxes.quote(
        TaxRequest(
            currency=priced.currency,
            lines=[_taxable(line, priced) for line in priced.price.lines],
            ship_to=TaxAddress(
                country=ship_to.country,
                state=ship_to.state,
                postal_code=ship_to.postal_code,
                city=ship_to.city,
                line1=ship_to.line1,
                line2=ship_to.line2,
            ),
        )
    )
    by_product = {
        line.product_id: quoted.tax_cents[str(line.product_id)] for line in priced.price.lines
    }
    return replace(
        priced,
        price=with_tax(priced.price, by_product),
        calculation_id=quoted.calculation_id,
    )


def same_before_tax(one: PricedBasket, other: PricedBasket) -> bool:
    """Whether what tax was computed for is what is sold."""
    return with_tax(one.price, {}) == with_tax(other.price, {})


def taxed_as(priced: PricedBasket, taxed: PricedBasket) -> PricedBasket:
    """Put the tax that was computed for the same lines on lines that were priced again."""
    tax = {line.product_id: line.tax_cents for line in taxed.price.lines}
    return replace(priced, price=with_tax(priced.price, tax), calculation_id=taxed.calculation_id)


def _taxable(line: PricedLine, priced: PricedBasket) -> TaxableLine:
    product = priced.offers[line.product_id].product
    return TaxableLine(
        reference=str(line.product_id),
        amount_cents=line.net_cents,
        shipping_cents=line.shipping_cents,
        kind="digital" if class_of(product.product_type) is None else "physical",
    )


def _fee(product: Product, fees: FeeSchedule) -> FeeRate:
    return fees.rate_of(sale_kind_of(product.product_type))


def _check_for_sale(products: Mapping[UUID, Product], pieces: Mapping[UUID, int]) -> Currency:
    """Their one currency."""
    for product_id in pieces:
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
    return currencies.pop()
