"""What is not sold: the gates are asked again at checkout, and a refusal leaves nothing behind."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.catalogue.products import UpdateProduct
from application.licensing.terms import PublishTerms
from application.ordering.checkout import ChargeTooSmall, OrderEnded, SaleRefused
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.idempotency import KeyReused
from domain.catalogue.product import NotForSale, OutOfStock, ProductStatus
from domain.licensing.terms import ProductType
from domain.ordering.order import OrderInvalid, PaymentStatus
from domain.shared.errors import NotFound
from domain.shared.money import Currency
from tests.application.trade import Trade, creator_of, owner_of
from tests.builders import actor, generated_asset, product_of, terms


async def orders(trade: Trade) -> int:
    return len(trade.database.table("order").rows)


async def test_a_sale_freezes_price_licence_and_shares() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(royalty_bps=2000))
    (product,) = shop.products

    checkout = await trade.check_out((product.id, 2))
    later = PublishTerms(royalty_bps=0)
    await trade.publish_terms(shop.creator.id, later, who=creator_of(shop))
    await trade.update(product.id, UpdateProduct(price_cents=9900), who=owner_of(shop))

    async with trade.uow() as uow:
        order = await uow.orders.get(checkout.order_id)
    (line,) = order.lines
    assert (order.total_cents, line.unit_price_cents, line.quantity) == (5000, 2500, 2)
    assert (line.terms_version, line.terms_hash) == (1, shop.terms.hash)
    assert [leg.amount_cents for leg in line.legs] == [1000, 500, 1900, 1600]


async def test_what_does_not_exist_or_was_never_published_is_not_found() -> None:
    trade = Trade()
    draft = await trade.draft(await trade.market())

    for product_id in (draft.id, UUID(int=404)):
        with pytest.raises(NotFound):
            await trade.check_out((product_id, 1))


@pytest.mark.parametrize("status", [ProductStatus.INACTIVE, ProductStatus.SUSPENDED])
async def test_what_is_off_sale_is_not_sold(status: ProductStatus) -> None:
    trade = Trade()
    (product,) = (await trade.market()).products
    async with trade.uow() as uow:
        (await uow.products.get(product.id)).status = status
        await uow.commit()

    with pytest.raises(NotForSale):
        await trade.check_out((product.id, 1))


async def test_no_more_is_sold_than_there_is() -> None:
    trade = Trade()
    (product,) = (await trade.market(stock=2)).products
    await trade.check_out((product.id, 1), key="first")

    with pytest.raises(OutOfStock):
        await trade.check_out((product.id, 2), key="second")
    with pytest.raises(OutOfStock):
        await trade.check_out((product.id, 1), (product.id, 1), key="the same, twice in a cart")
    await trade.check_out((product.id, 1), key="third")
    assert await orders(trade) == 2


async def test_every_reason_of_every_product_is_told() -> None:
    trade = Trade()
    shop = await trade.market(prices_cents=(2500, 3000))
    first, second = shop.products
    command = PublishTerms(min_price_cents=2800, blocked_keywords=["product"])
    await trade.publish_terms(shop.creator.id, command, who=creator_of(shop))
    await trade.make_unpayable(shop.store.id)

    with pytest.raises(SaleRefused) as refused:
        await trade.check_out((first.id, 1), (second.id, 1))

    reasons = refused.value.facts["reasons"]
    assert isinstance(reasons, list)
    assert [(reason["product_id"], reason["code"]) for reason in reasons] == [
        (str(first.id), "blocked_keyword"),
        (str(first.id), "below_minimum_price"),
        (str(first.id), "store_payee_not_ready"),
        (str(second.id), "blocked_keyword"),
        (str(second.id), "store_payee_not_ready"),
    ]
    assert await orders(trade) == 0


async def test_without_standing_consent_nothing_is_sold() -> None:
    trade = Trade()
    shop = await trade.market(stock=1)
    await trade.withdraw(shop.creator.id, shop.consent.id, who=creator_of(shop))

    with pytest.raises(SaleRefused, match="No standing consent"):
        await trade.check_out((shop.products[0].id, 1))

    async with trade.uow() as uow:
        assert (await uow.products.get(shop.products[0].id)).reserved == 0


async def test_an_order_has_one_currency() -> None:
    trade = Trade()
    shop = await trade.market()
    image = generated_asset(shop.owner.id)
    euros = product_of(shop.store, shop.terms, image, currency=Currency("eur"))
    async with trade.uow() as uow:
        uow.products.add(euros)
        await uow.commit()

    with pytest.raises(OrderInvalid) as refused:
        await trade.check_out((shop.products[0].id, 1), (euros.id, 1))

    assert refused.value.facts["fields"] == {"items": ["are priced in eur, usd"]}


async def test_what_the_provider_would_not_charge_is_not_ordered() -> None:
    trade = Trade()
    shop = await trade.market(licence=terms(min_price_cents=0, min_prices=()))
    image = generated_asset(shop.owner.id)
    cheap = product_of(
        shop.store, shop.terms, image, price_cents=49, product_type=ProductType.DIGITAL, stock=5
    )
    async with trade.uow() as uow:
        uow.products.add(cheap)
        await uow.commit()

    with pytest.raises(ChargeTooSmall):
        await trade.check_out((cheap.id, 1))

    assert await orders(trade) == 0
    await trade.check_out((cheap.id, 2))


# The same request again.


async def test_a_key_places_one_order_and_opens_one_page() -> None:
    trade, buyer = Trade(), actor()
    (product,) = (await trade.market(stock=2)).products

    first = await trade.check_out((product.id, 1), who=buyer)
    again = await trade.check_out((product.id, 1), who=buyer)

    assert first == again
    assert await orders(trade) == 1
    assert (await trade.check_out((product.id, 1), who=actor())).order_id != first.order_id


async def test_a_key_is_not_used_for_other_items() -> None:
    trade, buyer = Trade(), actor()
    (product,) = (await trade.market()).products
    await trade.check_out((product.id, 1), who=buyer)

    with pytest.raises(KeyReused):
        await trade.check_out((product.id, 2), who=buyer)
    with pytest.raises(KeyReused):
        await trade.check_out((uuid4(), 1), who=buyer)


async def test_an_order_that_has_ended_is_not_opened_again() -> None:
    trade, buyer = Trade(), actor()
    (product,) = (await trade.market()).products
    checkout = await trade.check_out((product.id, 1), who=buyer)
    async with trade.uow() as uow:
        await uow.orders.close_unpaid(checkout.order_id, status=PaymentStatus.EXPIRED)
        await uow.commit()

    with pytest.raises(OrderEnded):
        await trade.check_out((product.id, 1), who=buyer)


@pytest.mark.parametrize(
    ("fault", "error"), [("unavailable", Unavailable), ("lost_answer", OutcomeUnknown)]
)
async def test_after_a_failure_in_between_the_same_request_goes_on(
    fault: str, error: type[Exception]
) -> None:
    trade, buyer = Trade(), actor()
    (product,) = (await trade.market(stock=1)).products
    trade.provider.calls.fail("start_checkout", fault)  # type: ignore[arg-type]
    with pytest.raises(error):
        await trade.check_out((product.id, 1), who=buyer)
    trade.provider.calls.recover()

    checkout = await trade.check_out((product.id, 1), who=buyer)

    assert await orders(trade) == 1
    async with trade.uow() as uow:
        assert (await uow.orders.get(checkout.order_id)).session_id == checkout.session_id


async def test_a_page_that_the_provider_refuses_ends_the_order_and_frees_its_stock() -> None:
    trade, buyer = Trade(), actor()
    (product,) = (await trade.market(stock=1)).products
    trade.provider.calls.fail("start_checkout", "unavailable")
    with pytest.raises(Unavailable):
        await trade.check_out((product.id, 1), who=buyer)
    trade.provider.calls.recover()
    trade.clock.advance(timedelta(minutes=31))

    with pytest.raises(Rejected):
        await trade.check_out((product.id, 1), who=buyer)

    async with trade.uow() as uow:
        assert (await uow.products.get(product.id)).reserved == 0
    with pytest.raises(OrderEnded):
        await trade.check_out((product.id, 1), who=buyer)
    await trade.check_out((product.id, 1), who=buyer, key="another")
