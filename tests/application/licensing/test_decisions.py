"""What a licence decides is kept where money or publication rests on it, refusals too."""

from uuid import UUID

import pytest

from application.catalogue.products import UpdateProduct
from application.licensing.terms import PublishTerms
from domain.catalogue.product import ListingRefused
from domain.licensing.decision import Outcome
from domain.licensing.record import DecisionPoint, DecisionRecord, faults_of
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import Market


def kept(trade: Trade) -> list[DecisionRecord]:
    return list(trade.database.table("decision").rows.values())


def points(trade: Trade) -> list[tuple[str, str]]:
    return [(str(each.point), str(each.decision.outcome)) for each in kept(trade)]


async def on_sale(trade: Trade, shop: Market) -> UUID:
    product = await trade.draft(shop)
    await trade.publish(product.id, who=owner_of(shop))
    return product.id


async def test_a_draft_rests_on_nothing_yet() -> None:
    trade = Trade()
    shop = await trade.market()
    product = await trade.draft(shop)

    await trade.update(product.id, UpdateProduct(price_cents=3000), who=owner_of(shop))
    await trade.show(product.id, who=owner_of(shop))

    assert kept(trade) == []


async def test_a_listing_is_kept_with_all_it_was_judged_by() -> None:
    trade = Trade()
    shop = await trade.market()

    product_id = await on_sale(trade, shop)

    (record,) = kept(trade)
    assert (record.point, record.subject_id) == (DecisionPoint.LISTING, product_id)
    assert (record.creator_id, record.actor_id) == (shop.creator.id, shop.owner.id)
    assert (record.terms_id, record.terms_hash) == (shop.terms.id, shop.terms.hash)
    assert record.decision.outcome is Outcome.ALLOW
    assert list(faults_of(record, shop.terms.terms, frozen=None)) == []


@pytest.mark.parametrize(
    ("change", "point"),
    [
        (UpdateProduct(price_cents=3000), "price_change"),
        (UpdateProduct(price_cents=2500), "listing"),
        (UpdateProduct(title="Another"), "listing"),
    ],
)
async def test_a_change_of_what_is_on_sale_is_kept(change: UpdateProduct, point: str) -> None:
    trade = Trade()
    shop = await trade.market()
    product_id = await on_sale(trade, shop)

    await trade.update(product_id, change, who=owner_of(shop))

    assert points(trade) == [("listing", "allow"), (point, "allow")]


async def test_a_refused_change_is_kept_and_not_made() -> None:
    trade = Trade()
    shop = await trade.market()
    product_id = await on_sale(trade, shop)

    with pytest.raises(ListingRefused):
        await trade.update(product_id, UpdateProduct(price_cents=1), who=owner_of(shop))

    assert points(trade) == [("listing", "allow"), ("price_change", "deny")]
    assert (await trade.show(product_id, who=owner_of(shop))).price_cents == 2500


async def test_a_refused_listing_is_kept_under_the_terms_that_refused_it() -> None:
    trade = Trade()
    shop = await trade.market()
    product = await trade.draft(shop)
    published = await trade.publish_terms(
        shop.creator.id, PublishTerms(purposes=[]), who=creator_of(shop)
    )

    with pytest.raises(ListingRefused):
        await trade.publish(product.id, who=owner_of(shop))

    (record,) = kept(trade)
    assert (record.decision.outcome, record.terms_hash) == (Outcome.DENY, published.hash)
    assert [reason.code for reason in record.decision.reasons] == ["purpose_not_allowed"]
