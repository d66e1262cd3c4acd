"""Shipping of a basket: where it may go, and a parcel for each store that asks for its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from application.catalogue.gates import Offer
from application.ordering.wishes import Basket
from domain.catalogue.shipping import (
    Piece,
    ShippingNotOffered,
    ShippingOption,
    Zone,
    class_of,
    dearest_zone,
    parcel_cents,
    zone_of,
)
from domain.licensing.territories import COUNTRIES, permitted
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency


class NowhereAllowed(RuleRefused):
    """No country is allowed by the licences of all lines together."""

    code = "nowhere_allowed"


def countries_of(offers: Mapping[UUID, Offer], at: datetime) -> frozenset[str]:
    """Where the licences of all lines allow it to go. Raises NowhereAllowed."""
    allowed = COUNTRIES
    for offer in offers.values():
        terms = offer.standing.terms_in_force().terms
        allowed &= permitted(terms.territories_included, terms.territories_excluded, at)
    if not allowed:
        raise NowhereAllowed("No country is allowed by the licences of all lines.")
    return allowed


def shipping_offers(
    basket: Basket,
    offers: Mapping[UUID, Offer],
    countries: frozenset[str] | None,
    currency: Currency,
) -> dict[ShippingOption, int]:
    """What each option would cost that every store which asks for shipping has."""
    stores = {offer.store.id: offer.store for offer in offers.values()}
    parcels = _parcels(basket, offers)
    costs: dict[ShippingOption, int] = {}
    for option in ShippingOption if parcels else ():
        if all(option in stores[store_id].shipping_options for store_id in parcels):
            chosen = replace(basket, shipping_option=option)
            costs[option] = sum(shipping_cents(chosen, offers, countries, currency).values())
    return costs


def _parcels(basket: Basket, offers: Mapping[UUID, Offer]) -> dict[UUID, list[Piece]]:
    """What each store ships that asks its buyers for it."""
    parcels: dict[UUID, list[Piece]] = {}
    for product_id, offer in offers.items():
        kind = class_of(offer.product.product_type)
        if kind is not None and offer.store.shipping_options:
            piece = Piece(product_id, kind, basket.pieces[product_id])
            parcels.setdefault(offer.store.id, []).append(piece)
    return parcels


def shipping_cents(
    basket: Basket,
    offers: Mapping[UUID, Offer],
    countries: frozenset[str] | None,
    currency: Currency,
) -> dict[UUID, int]:
    """What shipping adds, by product: a parcel for each store that asks for it."""
    stores = {offer.store.id: offer.store for offer in offers.values()}
    cents: dict[UUID, int] = {}
    for store_id, pieces in _parcels(basket, offers).items():
        options = stores[store_id].shipping_options
        option = basket.shipping_option or options[0]
        if option not in options:
            raise ShippingNotOffered(
                f"A store of this order does not ship {option}.", store_id=str(store_id)
            )
        zone = _zone(basket, countries, pieces, option, currency)
        cents |= parcel_cents(pieces, zone=zone, option=option, currency=currency)
    return cents


def _zone(
    basket: Basket,
    countries: frozenset[str] | None,
    pieces: Sequence[Piece],
    option: ShippingOption,
    currency: Currency,
) -> Zone:
    if basket.ship_to is not None:
        return zone_of(basket.ship_to.country)
    zones = {zone_of(country) for country in countries or COUNTRIES}
    return dearest_zone(pieces, zones, option=option, currency=currency)
