"""What can be made has a price in each currency in which it is offered."""

import pytest

from domain.catalogue.template import TEMPLATES, CurrencyNotOffered
from domain.licensing.terms import ProductType
from domain.shared.money import SUPPORTED_CURRENCIES, Currency
from tests.builders import USD


@pytest.mark.parametrize("product_type", ProductType)
def test_every_product_type_can_be_made(product_type: ProductType) -> None:
    template = TEMPLATES[product_type]
    assert template.product_type is product_type
    assert template.cost_cents(USD) >= 0
    assert set(template.production_cost_cents) <= SUPPORTED_CURRENCIES


def test_a_currency_without_a_price_is_not_offered() -> None:
    with pytest.raises(CurrencyNotOffered) as refused:
        TEMPLATES[ProductType.SHIRT].cost_cents(Currency("pln"))
    assert refused.value.facts == {
        "currency": "pln",
        "offered": ["eur", "gbp", "jpy", "kwd", "usd"],
    }


def test_only_what_is_digital_needs_no_shipping() -> None:
    assert [t.product_type for t in TEMPLATES.values() if not t.needs_shipping] == [
        ProductType.DIGITAL
    ]
