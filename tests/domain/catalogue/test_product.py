"""A listing is published only through open gates, and every closed one is named."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.catalogue.product import ListingRefused, Product, ProductStatus
from domain.licensing.decision import Decision, Outcome, Reason
from domain.licensing.terms import ProductType
from tests.builders import NOON, USD

ALLOW = Decision(Outcome.ALLOW, ())
PRICE = Reason("below_minimum_price", "price_cents", 500, 100, "Too cheap.")
PAYEE = Reason("store_payee_not_ready", "store_id", "active", "onboarding", "Not payable.")


def draft() -> Product:
    return Product(
        id=uuid4(),
        store_id=uuid4(),
        creator_id=uuid4(),
        generation_id=uuid4(),
        asset_id=uuid4(),
        product_type=ProductType.SHIRT,
        title="A shirt",
        description="",
        prompt="",
        price_cents=2500,
        currency=USD,
        stock=None,
        terms_id=uuid4(),
        terms_version=1,
        terms_hash="0" * 64,
        decision=ALLOW,
        created_at=NOON,
    )


def test_with_all_gates_open_it_goes_on_sale() -> None:
    product = draft()
    product.publish(ALLOW, closed_gates=(), at=NOON)
    assert product.status is ProductStatus.ACTIVE
    assert product.published_at == NOON


def test_a_closed_gate_keeps_it_off_sale_and_all_reasons_are_told() -> None:
    product = draft()
    with pytest.raises(ListingRefused) as refused:
        product.publish(Decision(Outcome.DENY, (PRICE,)), closed_gates=(PAYEE,), at=NOON)
    assert refused.value.reasons == (PRICE, PAYEE)
    assert refused.value.message == "It cannot be listed: Too cheap. Not payable."
    assert product.status is ProductStatus.DRAFT
    assert product.decision is ALLOW


@pytest.mark.parametrize("outcome", [Outcome.DENY, Outcome.NEEDS_APPROVAL])
def test_only_an_allowing_decision_publishes(outcome: Outcome) -> None:
    with pytest.raises(ListingRefused):
        draft().publish(Decision(outcome, ()), closed_gates=(), at=NOON)


def test_publishing_again_keeps_the_first_date() -> None:
    product = draft()
    product.publish(ALLOW, closed_gates=(), at=NOON)
    product.unpublish()
    assert product.status is ProductStatus.INACTIVE
    product.publish(ALLOW, closed_gates=(), at=NOON + timedelta(days=1))
    assert (product.status, product.published_at) == (ProductStatus.ACTIVE, NOON)


def test_unpublishing_a_draft_leaves_a_draft() -> None:
    product = draft()
    product.unpublish()
    assert product.status is ProductStatus.DRAFT
