"""The numbers in docs/checkout.md are what the code computes."""

from pathlib import Path
from uuid import UUID

from domain.catalogue.shipping import Piece, ShippingClass, ShippingOption, parcel_cents, zone_of
from domain.ordering.discount import DiscountScope
from domain.ordering.fees import FeeRate
from domain.ordering.pricing import Item, price, with_shipping, with_tax
from tests.builders import USD, discount

PAGE = (Path(__file__).parents[2] / "docs" / "checkout.md").read_text()
SHIRT, STORE = UUID(int=1), UUID(int=2)


def test_the_order_costs_what_the_page_says() -> None:
    shipping = parcel_cents(
        [Piece(SHIRT, ShippingClass.PARCEL, 2)],
        zone=zone_of("DE"),
        option=ShippingOption.STANDARD,
        currency=USD,
    )
    given = [
        discount(STORE, percent_bps=1000),
        discount(None, amount_cents=500, scope=DiscountScope.CART),
    ]
    priced = with_shipping(
        price([Item(SHIRT, STORE, 2500, 2, FeeRate(1000))], given, currency=USD), shipping
    )
    (line,) = priced.lines
    tax_cents = ((line.net_cents + line.shipping_cents) * 1900 + 5000) // 10_000
    priced = with_tax(priced, {SHIRT: tax_cents})
    by_store, by_platform = (d.amount_cents for d in line.discounts)

    for row in (
        f"| two shirts | {priced.subtotal_cents} |",
        f"| the store's 10 % | −{by_store} |",
        f"| the platform's $5.00, as far as its fee goes | −{by_platform} |",
        f"| shipping, standard | {line.shipping_cents} |",
        f"| tax, 19 % of {line.net_cents} + {line.shipping_cents} | {tax_cents} |",
        f"| **total** | **{priced.total_cents}** |",
    ):
        assert row in PAGE
