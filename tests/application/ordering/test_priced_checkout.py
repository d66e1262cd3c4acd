"""Checkout with discounts, shipping and tax: what is quoted is what is placed, held and settled."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from application.ordering.basket import SaleRefused
from application.ordering.checkout import (
    BasketChanging,
    CheckoutStarted,
    EmailRequired,
    StartCheckout,
    start_checkout,
)
from application.ordering.quotes import (
    CreateQuote,
    QuoteChanged,
    QuoteExpired,
    QuoteInvalid,
    QuoteView,
    make_quote,
)
from application.ordering.wishes import AddressInput, CartItem, Shopper
from application.ports.taxes import TaxQuote, TaxRequest
from domain.catalogue.product import OutOfStock, Product
from domain.catalogue.shipping import ShippingOption
from domain.identity.actor import Actor
from domain.ordering.discount import Discount, DiscountScope, DiscountUsedUp
from domain.shared.errors import LikenessError
from tests.application.ordering.conftest import Desk
from tests.builders import FEES, Market, actor, discount

PAGES = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}
GERMANY = AddressInput(country="DE", city="Berlin")


async def give(desk: Desk, *given: Discount) -> None:
    async with desk.new_uow() as uow:
        for each in given:
            uow.discounts.add(each)
        await uow.commit()


async def ship_by(desk: Desk, shop: Market, *options: ShippingOption) -> None:
    async with desk.new_uow() as uow:
        (await uow.stores.get(shop.store.id)).shipping_options = options
        await uow.commit()


def wish(*products: Product, quantity: int = 1, **more: object) -> dict[str, object]:
    items = [CartItem(product_id=p.id, quantity=quantity) for p in products]
    return {"items": items, **more}


async def check_out(
    desk: Desk,
    wanted: dict[str, object],
    *,
    buyer: Actor | None = None,
    guest: bool = False,
    key: str | None = None,
    address_required: bool = False,
) -> CheckoutStarted:
    return await start_checkout(
        StartCheckout(**wanted, **PAGES),  # type: ignore[arg-type]
        request_key=key or str(uuid4()),
        shopper=Shopper(actor=None if guest else buyer or actor()),
        payments=desk.provider.payments,
        uow=desk.new_uow(),
        clock=desk.clock,
        ids=desk.ids,
        taxes=desk.taxes,
        seals=desk.seals,
        fees=FEES,
        address_required=address_required,
    )


async def quote(desk: Desk, wanted: dict[str, object], *, by: Actor | None = None) -> QuoteView:
    return await make_quote(
        CreateQuote(**wanted),  # type: ignore[arg-type]
        shopper=Shopper(actor=by),
        uow=desk.new_uow(),
        clock=desk.clock,
        taxes=desk.taxes,
        seals=desk.seals,
        fees=FEES,
        address_required=False,
    )


async def test_an_order_with_everything_is_quoted_placed_and_settled_to_the_cent(
    desk: Desk,
) -> None:
    """Two shirts at $25.00: 10 % off by the store, $5.00 by the platform of its fee of $4.50, so
    $4.50; $7.70 for a parcel to Germany; 19 % tax on $40.50 + $7.70."""
    shop = await desk.market()
    desk.taxes.rates = {"DE": 1900}
    await ship_by(desk, shop, ShippingOption.STANDARD, ShippingOption.EXPRESS)
    await give(
        desk,
        discount(shop.store.id, code="TEN"),
        discount(None, amount_cents=500, scope=DiscountScope.CART),
    )
    wanted = wish(*shop.products, quantity=2, discount_codes=["ten"], shipping_address=GERMANY)

    quoted = await quote(desk, wanted)
    placed = await check_out(desk, {**wanted, "quote_token": quoted.token})

    assert (quoted.subtotal_cents, quoted.discount_cents) == (5000, 500 + 450)
    assert (quoted.shipping_cents, quoted.tax_cents) == (770, (4050 + 770) * 19 // 100 + 1)
    assert quoted.total_cents == 4050 + 770 + 916
    assert [(o.option, o.amount_cents) for o in quoted.shipping_options] == [
        ("standard", 770),
        ("express", 3 * 770),
    ]
    captured = await desk.pay(placed)
    assert captured.amount_cents == quoted.total_cents
    assert await desk.settle(captured) == {}
    legs = await desk.rows(
        "SELECT leg->>'kind', (leg->>'amount_cents')::int FROM order_lines, "
        "jsonb_array_elements(legs) AS leg WHERE order_id = :id",
        id=placed.order_id,
    )
    assert dict(legs) == {  # type: ignore[arg-type]
        "royalty": 450,
        "platform_fee": 0,
        "production_cost": 1900,
        "store_revenue": 4500 - 450 - 450 - 1900,
        "shipping": 770,
        "tax": 916,
    }
    await desk.check_books()


async def test_a_changed_price_is_refused_with_both_totals(desk: Desk) -> None:
    shop = await desk.market()
    quoted = await quote(desk, wish(*shop.products))
    async with desk.new_uow() as uow:
        (await uow.products.get(shop.products[0].id)).price_cents = 2600
        await uow.commit()

    with pytest.raises(QuoteChanged) as refused:
        await check_out(desk, wish(*shop.products, quote_token=quoted.token))

    assert refused.value.facts["fields"] == {
        "old_total_cents": ["2500"],
        "new_total_cents": ["2600"],
    }
    assert await desk.rows("SELECT id FROM orders") == []


async def test_a_quote_is_for_its_basket_and_holds_for_half_an_hour(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 2500))
    quoted = await quote(desk, wish(shop.products[0]))

    with pytest.raises(QuoteChanged):
        await check_out(desk, wish(shop.products[1], quote_token=quoted.token))
    with pytest.raises(QuoteInvalid):
        await check_out(desk, wish(shop.products[0], quote_token="x.y"))
    desk.clock.advance(timedelta(minutes=30))
    with pytest.raises(QuoteExpired):
        await check_out(desk, wish(shop.products[0], quote_token=quoted.token))


async def test_the_split_is_shown_to_those_who_earn_by_it(desk: Desk) -> None:
    shop = await desk.market()
    store = Actor(shop.owner.id, shop.owner.roles)
    creator = Actor(shop.creator_user.id, shop.creator_user.roles)

    seen = {
        name: {leg.kind.value for leg in (await quote(desk, wish(*shop.products), by=who)).split}
        for name, who in {"store": store, "creator": creator, "buyer": None}.items()
    }

    assert seen == {"store": {"store_revenue"}, "creator": {"royalty"}, "buyer": set()}


async def test_what_changes_while_tax_is_computed_is_priced_again(desk: Desk) -> None:
    shop = await desk.market()
    product, asked = shop.products[0], Counter[str]()
    honest = desk.taxes.quote

    async def meanwhile(request: TaxRequest, *, until: int) -> TaxQuote:
        asked["times"] += 1
        if asked["times"] <= until:
            async with desk.new_uow() as uow:
                (await uow.products.get(product.id)).price_cents += 100
                await uow.commit()
        return await honest(request)

    class Changing:
        def __init__(self, until: int) -> None:
            self.until = until

        async def quote(self, request: TaxRequest) -> TaxQuote:
            return await meanwhile(request, until=self.until)

    wanted = wish(product, shipping_address=GERMANY)
    desk.taxes = Changing(1)  # type: ignore[assignment]
    placed = await check_out(desk, wanted)
    total = await desk.rows("SELECT total_cents FROM orders WHERE id = :id", id=placed.order_id)
    assert (total, asked["times"]) == ([(2600,)], 2)

    desk.taxes = Changing(99)  # type: ignore[assignment]
    with pytest.raises(BasketChanging):
        await check_out(desk, wanted)


async def test_a_guest_buys_by_email_and_the_same_key_finds_the_order(desk: Desk) -> None:
    shop = await desk.market()
    with pytest.raises(EmailRequired):
        await check_out(desk, wish(*shop.products), guest=True)

    wanted = wish(*shop.products, email="Guest@Example.com")
    first = await check_out(desk, wanted, guest=True, key="k")
    again = await check_out(desk, wanted, guest=True, key="k")

    assert first == again
    assert first.order_token
    assert await desk.rows("SELECT buyer_id, buyer_email FROM orders") == [
        (None, "guest@example.com")
    ]
    assert await desk.settle(await desk.pay(first)) == {}
    await desk.check_books()


async def test_an_order_that_nobody_pays_gives_back_stock_and_codes(desk: Desk) -> None:
    shop = await desk.market(stock=1)
    once = discount(shop.store.id, code="ONCE", usage_limit=1)
    await give(desk, once)
    wanted = wish(*shop.products, discount_codes=["ONCE"])
    first = await check_out(desk, wanted)
    held = "SELECT used, reserved FROM discounts, products"
    assert await desk.rows(held) == [(1, 1)]

    desk.clock.advance(timedelta(minutes=61))
    await desk.reconcile(first.order_id)

    assert await desk.rows(held) == [(0, 0)]
    again = await check_out(desk, wanted)
    assert await desk.settle(await desk.pay(again)) == {}
    assert await desk.rows(held) == [(1, 0)]


async def test_a_code_that_runs_out_while_the_basket_is_priced_is_a_refusal(desk: Desk) -> None:
    shop = await desk.market(stock=5)
    await give(desk, discount(shop.store.id, code="ONE", per_customer_limit=1))
    buyer, wanted = actor(), wish(*shop.products, discount_codes=["ONE"])
    await check_out(desk, wanted, buyer=buyer)

    with pytest.raises(DiscountUsedUp):
        await check_out(desk, wanted, buyer=buyer)

    assert await desk.rows("SELECT reserved FROM products") == [(1,)]


async def test_five_hundred_buyers_of_ten_copies_are_ten(desk: Desk) -> None:
    shop = await desk.market(stock=10)
    room = asyncio.Semaphore(20)

    async def try_one() -> type[LikenessError] | None:
        async with room:
            try:
                await check_out(desk, wish(*shop.products))
            except LikenessError as refused:
                return type(refused)
            return None

    ended = Counter(await asyncio.gather(*(try_one() for _ in range(500))))

    assert ended == {None: 10, OutOfStock: 490}
    assert await desk.rows("SELECT stock, reserved FROM products") == [(10, 10)]


async def test_discounts_deeper_together_than_the_licence_allows_are_refused(desk: Desk) -> None:
    """The licence allows 20 %; 15 % off the line and 15 % off the cart are more."""
    shop = await desk.market(prices_cents=(5000,))
    await give(
        desk,
        discount(shop.store.id, percent_bps=1500),
        discount(shop.store.id, percent_bps=1500, scope=DiscountScope.CART, code="MORE"),
    )
    await check_out(desk, wish(*shop.products))

    for refuse in (check_out, quote):
        with pytest.raises(SaleRefused, match="20% off the list price"):
            await refuse(desk, wish(*shop.products, discount_codes=["MORE"]))


async def test_the_page_shows_lines_that_add_up(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 2999))
    await give(desk, discount(shop.store.id, percent_bps=1333, scope=DiscountScope.CART))

    placed = await check_out(desk, wish(*shop.products, quantity=3))

    (total,) = (await desk.rows("SELECT total_cents FROM orders"))[0]
    assert (await desk.pay(placed)).amount_cents == total


async def test_without_an_address_the_page_asks_for_one_where_every_licence_allows(
    desk: Desk,
) -> None:
    shop = await desk.market()
    await check_out(desk, wish(*shop.products))
    await check_out(desk, wish(*shop.products, shipping_address=GERMANY))

    assert await desk.rows("SELECT ship_countries FROM orders ORDER BY id") == [(["*"],), ([],)]
