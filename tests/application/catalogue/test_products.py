"""A product is drafted with every reason against it, and sold only while every gate is open."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from application.catalogue.products import (
    CreateProduct,
    CurrencyUnknown,
    GenerationNotReady,
    ProductView,
    StockBelowReserved,
    UpdateProduct,
)
from application.licensing.standing import NoLicence
from application.licensing.terms import PublishTerms
from domain.catalogue.product import ListingRefused, ProductStatus
from domain.identity.actor import Role
from domain.licensing.decision import Outcome
from domain.licensing.terms import LicenceTerms, ProductType
from domain.shared.errors import NotFound
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import Market, actor, generation, terms


def codes(view: ProductView) -> list[str]:
    return [reason.code for reason in view.decision.reasons]


async def refusal(trade: Trade, view: ProductView, shop: Market) -> list[str]:
    with pytest.raises(ListingRefused) as refused:
        await trade.publish(view.id, who=owner_of(shop))
    return [reason.code for reason in refused.value.reasons]


# Drafts.


async def test_a_draft_carries_its_licence_and_the_decision() -> None:
    trade = Trade()
    shop = await trade.market()

    view = await trade.draft(shop, currency="USD")

    assert (view.status, view.currency) == (ProductStatus.DRAFT, "usd")
    assert (view.decision.outcome, codes(view)) == (Outcome.ALLOW, [])
    assert (view.terms_version, view.terms_hash) == (1, shop.terms.hash)
    assert await trade.show(view.id, who=owner_of(shop)) == view


async def test_a_draft_is_kept_with_every_reason_against_it() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(blocked_keywords=("war",), min_price_cents=2000))
    await trade.withdraw(shop.creator.id, shop.consent.id, who=creator_of(shop))
    await trade.make_unpayable(shop.creator.id)
    await trade.make_unpayable(shop.store.id)

    view = await trade.draft(shop, title="War and peace", price_cents=1000)

    assert (view.status, view.decision.outcome) == (ProductStatus.DRAFT, Outcome.DENY)
    assert codes(view) == [
        "blocked_keyword",
        "below_minimum_price",
        "consent_missing",
        "creator_payee_not_ready",
        "store_payee_not_ready",
        "margin_negative",
    ]


async def test_nothing_is_drafted_without_a_licence() -> None:
    trade = Trade()
    shop = await trade.market()
    async with trade.uow() as uow:
        (await uow.creators.get(shop.creator.id)).terms_id = None
        await uow.commit()

    with pytest.raises(NoLicence):
        await trade.draft(shop)


async def test_nothing_is_drafted_without_a_finished_image_or_in_a_strange_currency() -> None:
    trade = Trade()
    shop = await trade.market()
    command = CreateProduct(
        generation_id=UUID(int=404),
        product_type=ProductType.PRINT,
        title="A print",
        price_cents=2500,
        currency="usd",
    )

    with pytest.raises(GenerationNotReady):
        await trade.create_product(shop.store.id, command, who=owner_of(shop))
    with pytest.raises(CurrencyUnknown):
        await trade.draft(shop, currency="xyz")


async def test_another_owners_store_and_products_are_as_good_as_none() -> None:
    trade, stranger = Trade(), actor(Role.STORE_OWNER)
    shop = await trade.market()
    view = await trade.draft(shop)
    made = await generation(trade.uow(), shop)
    command = CreateProduct(
        generation_id=made.id,
        product_type=ProductType.PRINT,
        title="A print",
        price_cents=2500,
        currency="usd",
    )

    with pytest.raises(NotFound):
        await trade.create_product(shop.store.id, command, who=stranger)
    for act in (trade.publish, trade.unpublish, trade.show):
        with pytest.raises(NotFound):
            await act(view.id, who=stranger)
    with pytest.raises(NotFound):
        await trade.update(view.id, UpdateProduct(title="Mine"), who=stranger)
    assert (await trade.show(view.id, who=actor(Role.ADMIN))).title == "A shirt"


# Publishing.


async def test_with_all_gates_open_a_product_goes_on_sale() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)

    published = await trade.publish(view.id, who=owner_of(shop))

    assert (published.status, published.version) == (ProductStatus.ACTIVE, 2)
    async with trade.uow() as uow:
        assert (await uow.products.get(view.id)).published_at == trade.clock.now()


async def test_one_below_the_minimum_price_is_refused_and_the_minimum_is_not() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(min_price_cents=2000))

    below = await trade.draft(shop, price_cents=1999)
    at_least = await trade.draft(shop, price_cents=2000)

    assert await refusal(trade, below, shop) == ["below_minimum_price"]
    assert (await trade.publish(at_least.id, who=owner_of(shop))).status is ProductStatus.ACTIVE


@pytest.mark.parametrize("where", ["title", "description", "prompt"])
async def test_a_blocked_keyword_is_refused_wherever_it_stands(where: str) -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(blocked_keywords=("war",)))
    draft: Callable[..., Awaitable[ProductView]] = trade.draft

    view = await draft(shop, **{where: "W4R!"})

    assert codes(view) == ["blocked_keyword"]
    assert view.decision.reasons[0].field == where
    assert await refusal(trade, view, shop) == ["blocked_keyword"]


@pytest.mark.parametrize(
    ("licence", "code"),
    [
        (terms(allow_third_party_stores=False), "third_party_store"),
        (terms(allowed_stores=frozenset({UUID(int=1)})), "store_not_listed"),
        (terms(product_types=frozenset({ProductType.PRINT})), "product_type_not_allowed"),
        (terms(purposes=frozenset()), "purpose_not_allowed"),
    ],
)
async def test_a_store_a_type_or_a_purpose_that_is_not_licensed_is_refused(
    licence: LicenceTerms, code: str
) -> None:
    trade = Trade()
    shop = await trade.market(licence=licence)

    assert await refusal(trade, await trade.draft(shop), shop) == [code]


async def test_an_excluded_store_is_refused() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)
    command = PublishTerms(denied_stores=[shop.store.id])
    await trade.publish_terms(shop.creator.id, command, who=creator_of(shop))

    assert await refusal(trade, view, shop) == ["store_denied"]


async def test_the_creator_sells_in_a_store_of_their_own_where_others_may_not() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(allow_third_party_stores=False))
    async with trade.uow() as uow:
        (await uow.stores.get(shop.store.id)).owner_id = shop.creator_user.id
        await uow.commit()
    shop = replace(shop, owner=shop.creator_user)

    view = await trade.draft(shop)

    assert (await trade.publish(view.id, who=creator_of(shop))).status is ProductStatus.ACTIVE


@pytest.mark.parametrize("who", ["creator", "store"])
async def test_while_a_payee_cannot_be_paid_nothing_of_it_is_sold(who: str) -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)
    await trade.make_unpayable(shop.creator.id if who == "creator" else shop.store.id)

    assert await refusal(trade, view, shop) == [f"{who}_payee_not_ready"]


async def test_without_standing_consent_nothing_is_sold() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)
    await trade.withdraw(shop.creator.id, shop.consent.id, who=creator_of(shop))

    assert await refusal(trade, view, shop) == ["consent_missing"]


async def test_a_price_that_leaves_the_store_less_than_nothing_is_refused() -> None:
    """Of $11.85, royalty and fee take $1.18 each and the shirt $9.50: a cent too much."""
    trade = Trade()
    shop = await trade.market()

    too_low = await trade.draft(shop, price_cents=1185)
    enough = await trade.draft(shop, price_cents=1186)

    assert await refusal(trade, too_low, shop) == ["margin_negative"]
    assert (await trade.publish(enough.id, who=owner_of(shop))).status is ProductStatus.ACTIVE


async def test_a_currency_without_a_production_price_is_refused() -> None:
    trade = Trade()
    shop = await trade.market()

    assert await refusal(trade, await trade.draft(shop, currency="chf"), shop) == [
        "currency_not_offered"
    ]


async def test_a_price_that_could_never_be_charged_is_refused_at_listing() -> None:
    """Stripe takes dinars in steps of ten, and no payment below 50 cents."""
    trade = Trade()
    shop = await trade.market(licence=terms(min_price_cents=0))

    between = await trade.draft(shop, price_cents=25_005, currency="kwd")
    in_steps = await trade.draft(shop, price_cents=25_010, currency="kwd")
    small = await trade.draft(shop, price_cents=49, product_type=ProductType.DIGITAL)
    enough = await trade.draft(shop, price_cents=50, product_type=ProductType.DIGITAL)

    assert await refusal(trade, between, shop) == ["price_not_in_steps"]
    assert await refusal(trade, small, shop) == ["price_below_smallest_charge"]
    for view in (in_steps, enough):
        assert (await trade.publish(view.id, who=owner_of(shop))).status is ProductStatus.ACTIVE
    with pytest.raises(ListingRefused) as refused:
        await trade.update(in_steps.id, UpdateProduct(price_cents=25_011), who=owner_of(shop))
    (reason,) = refused.value.reasons
    assert (reason.code, reason.field, reason.limit, reason.value) == (
        "price_not_in_steps",
        "price_cents",
        10,
        25_011,
    )


async def test_a_change_of_price_is_in_the_audit_log() -> None:
    trade = Trade()
    shop = await trade.market()
    owner, (product,) = owner_of(shop), shop.products

    await trade.update(product.id, UpdateProduct(title="Another name"), who=owner)
    await trade.update(product.id, UpdateProduct(price_cents=3000), who=owner)

    (entry,) = trade.database.audit
    assert (entry.act, entry.actor_id, entry.object_id) == (
        "product.repriced",
        owner.user_id,
        str(product.id),
    )
    assert (entry.before, entry.after) == (
        {"price_cents": 2500},
        {"price_cents": 3000, "currency": "usd"},
    )


async def test_a_licence_that_has_ended_or_not_begun_is_refused() -> None:
    trade = Trade()
    now = trade.clock.now()
    ended = await trade.market(licence=terms(valid_until=now))
    to_come = await trade.market(licence=terms(valid_from=now + timedelta(days=1)))

    assert await refusal(trade, await trade.draft(ended), ended) == ["expired"]
    assert await refusal(trade, await trade.draft(to_come), to_come) == ["not_yet_valid"]


async def test_a_product_is_published_under_the_terms_then_in_force() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)
    newer = await trade.publish_terms(
        shop.creator.id, PublishTerms(royalty_bps=500), who=creator_of(shop)
    )

    published = await trade.publish(view.id, who=owner_of(shop))

    assert (published.terms_version, published.terms_hash) == (2, newer.hash)


async def test_what_has_no_piece_left_is_listed_as_sold_out() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop, stock=0)

    published = await trade.publish(view.id, who=owner_of(shop))

    assert published.status is ProductStatus.OUT_OF_STOCK


async def test_unpublishing_takes_it_off_sale_and_publishing_brings_it_back() -> None:
    trade = Trade()
    shop = await trade.market()
    owner, (product,) = owner_of(shop), shop.products

    assert (await trade.unpublish(product.id, who=owner)).status is ProductStatus.INACTIVE
    assert (await trade.publish(product.id, who=owner)).status is ProductStatus.ACTIVE
    draft = await trade.draft(shop)
    assert (await trade.unpublish(draft.id, who=owner)).status is ProductStatus.DRAFT


# Changes.


async def test_what_is_left_out_of_an_update_stays() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop, description="Soft.", stock=5)

    changed = await trade.update(view.id, UpdateProduct(title="New"), who=owner_of(shop))

    assert (changed.title, changed.description, changed.stock) == ("New", "Soft.", 5)
    assert changed.price_cents == view.price_cents


async def test_a_change_of_what_is_on_sale_must_pass_the_gates_or_does_not_happen() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(blocked_keywords=("war",)))
    owner, (product,) = owner_of(shop), shop.products

    for change in (UpdateProduct(title="War"), UpdateProduct(price_cents=100)):
        with pytest.raises(ListingRefused):
            await trade.update(product.id, change, who=owner)

    kept = await trade.show(product.id, who=owner)
    assert (kept.status, kept.title, kept.price_cents) == (ProductStatus.ACTIVE, "Product 0", 2500)
    changed = await trade.update(product.id, UpdateProduct(price_cents=3000), who=owner)
    assert (changed.status, changed.price_cents) == (ProductStatus.ACTIVE, 3000)


async def test_a_draft_may_be_changed_into_what_cannot_be_sold() -> None:
    trade = Trade()
    shop = await trade.market()
    view = await trade.draft(shop)

    changed = await trade.update(view.id, UpdateProduct(price_cents=100), who=owner_of(shop))

    assert changed.status is ProductStatus.DRAFT
    assert codes(changed) == ["below_minimum_price", "margin_negative"]


async def test_stock_never_goes_below_what_buyers_are_paying_for() -> None:
    trade = Trade()
    shop = await trade.market(stock=3)
    owner, (product,) = owner_of(shop), shop.products
    await trade.check_out((product.id, 2))

    with pytest.raises(StockBelowReserved) as refused:
        await trade.update(product.id, UpdateProduct(stock=1), who=owner)

    assert refused.value.facts == {"reserved": 2}
    assert (await trade.update(product.id, UpdateProduct(stock=2), who=owner)).stock == 2


async def test_new_stock_puts_what_is_sold_out_on_sale_again() -> None:
    trade = Trade()
    shop = await trade.market(stock=0)
    owner, (product,) = owner_of(shop), shop.products
    await trade.publish(product.id, who=owner)

    restocked = await trade.update(product.id, UpdateProduct(stock=1), who=owner)
    emptied = await trade.update(product.id, UpdateProduct(stock=0), who=owner)

    assert (restocked.status, emptied.status) == (ProductStatus.ACTIVE, ProductStatus.OUT_OF_STOCK)
