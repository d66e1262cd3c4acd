"""An order is placed once per request, frozen, and refused with every reason."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from application.ordering.checkout import (
    CartItem,
    ChargeTooSmall,
    CheckoutStarted,
    OrderEnded,
    SaleRefused,
    StartCheckout,
    start_checkout,
)
from application.ordering.wishes import Shopper
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.idempotency import KeyReused
from domain.catalogue.product import NotForSale, OutOfStock, Product, ProductStatus
from domain.identity.actor import Actor
from domain.ordering.order import OrderInvalid
from domain.shared.errors import Conflict, NotFound
from domain.shared.money import Currency
from tests.application.ordering.conftest import Desk
from tests.builders import FEES, Market, actor, terms


async def change(desk: Desk, product: Product, **changes: object) -> None:
    async with desk.new_uow() as uow:
        stored = await uow.products.get(product.id)
        for name, value in changes.items():
            setattr(stored, name, value)
        await uow.commit()


async def check_out_items(desk: Desk, *items: CartItem, buyer: Actor) -> CheckoutStarted:
    return await start_checkout(
        StartCheckout(
            items=list(items),
            success_url="https://shop.example/ok",
            cancel_url="https://shop.example/no",
        ),
        request_key="k",
        shopper=Shopper(actor=buyer),
        uow=desk.new_uow(),
        payments=desk.provider.payments,
        clock=desk.clock,
        ids=desk.ids,
        taxes=desk.taxes,
        seals=desk.seals,
        fees=FEES,
    )


async def test_the_order_is_frozen_with_its_prices_and_parts(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    checkout = await desk.check_out(*shop.products, quantity=2)
    assert await desk.rows(
        "SELECT total_cents, payment_status, session_id FROM orders WHERE id = :id",
        id=checkout.order_id,
    ) == [(8998, "unpaid", checkout.session_id)]
    assert await desk.rows(
        "SELECT unit_price_cents, quantity, total_cents, terms_hash, legs_total_cents(legs)"
        " FROM order_lines ORDER BY position"
    ) == [
        (2500, 2, 5000, shop.terms.hash, 5000),
        (1999, 2, 3998, shop.terms.hash, 3998),
    ]


async def test_a_later_change_of_price_or_terms_touches_no_order(desk: Desk) -> None:
    shop = await desk.market()
    checkout = await desk.check_out(*shop.products)
    await change(desk, shop.products[0], price_cents=9900)
    assert await desk.settle(await desk.pay(checkout)) == {}
    assert (await desk.balance(shop.creator.id))["pending"] == 250
    await desk.check_books()


class TestTheSameRequest:
    async def test_it_is_the_same_order_and_the_same_page(self, desk: Desk) -> None:
        shop, buyer = await desk.market(stock=5), actor()
        first = await desk.check_out(*shop.products, buyer=buyer)
        assert await desk.check_out(*shop.products, buyer=buyer) == first
        assert await desk.rows("SELECT reserved FROM products") == [(1,)]

    @pytest.mark.parametrize(
        ("fault", "error"), [("unavailable", Unavailable), ("lost_answer", OutcomeUnknown)]
    )
    async def test_also_after_the_provider_failed(
        self, desk: Desk, fault: str, error: type[Exception]
    ) -> None:
        shop, buyer = await desk.market(stock=5), actor()
        desk.provider.calls.fail("start_checkout", fault)  # type: ignore[arg-type]
        with pytest.raises(error):
            await desk.check_out(*shop.products, buyer=buyer)
        desk.provider.calls.recover()
        desk.clock.advance(timedelta(minutes=5))
        checkout = await desk.check_out(*shop.products, buyer=buyer)
        assert await desk.rows("SELECT id, session_id FROM orders") == [
            (checkout.order_id, checkout.session_id)
        ]
        assert await desk.rows("SELECT reserved FROM products") == [(1,)]
        assert await desk.settle(await desk.pay(checkout)) == {}
        await desk.check_books()

    async def test_a_product_that_is_named_twice_is_one_line_each_time(self, desk: Desk) -> None:
        shop, buyer = await desk.market(), actor()
        item = CartItem(product_id=shop.products[0].id)
        first = await check_out_items(desk, item, item, buyer=buyer)
        assert await check_out_items(desk, item, item, buyer=buyer) == first
        assert await desk.rows("SELECT quantity FROM order_lines") == [(2,)]

    async def test_clicks_at_once_place_one_order(self, desk: Desk) -> None:
        shop, buyer = await desk.market(stock=5), actor()
        clicks = await asyncio.gather(
            *(desk.check_out(*shop.products, buyer=buyer) for _ in range(5)),
            return_exceptions=True,
        )
        started = [c for c in clicks if isinstance(c, CheckoutStarted)]
        assert len({c.order_id for c in started}) == 1
        assert all(isinstance(c, CheckoutStarted | Conflict) for c in clicks)
        assert await desk.rows("SELECT reserved FROM products") == [(1,)]

    async def test_a_key_places_no_order_of_other_items(self, desk: Desk) -> None:
        shop, buyer = await desk.market(), actor()
        await desk.check_out(*shop.products, buyer=buyer)
        with pytest.raises(KeyReused):
            await desk.check_out(*shop.products, quantity=2, buyer=buyer)

    async def test_another_buyer_may_use_the_same_key(self, desk: Desk) -> None:
        shop = await desk.market()
        one, other = [await desk.check_out(*shop.products, key="same") for _ in range(2)]
        assert one.order_id != other.order_id

    async def test_an_order_that_has_ended_is_not_opened_again(self, desk: Desk) -> None:
        shop, buyer = await desk.market(), actor()
        checkout = await desk.check_out(*shop.products, buyer=buyer)
        assert await desk.settle(await desk.pay(checkout)) == {}
        with pytest.raises(OrderEnded):
            await desk.check_out(*shop.products, buyer=buyer)


class TestWhatIsRefused:
    async def test_every_closed_gate_of_every_line_is_named(self, desk: Desk) -> None:
        one, other = await desk.market(), await desk.market()
        async with desk.new_uow() as uow:
            (await uow.payees.get(one.store.id)).payouts_enabled = False
            (await uow.consents.of_creators([other.creator.id]))[0].withdraw(at=desk.clock.now())
            await uow.commit()
        with pytest.raises(SaleRefused) as refused:
            await desk.check_out(*one.products, *other.products)
        reasons = refused.value.facts["reasons"]
        assert {(r["product_id"], r["code"]) for r in reasons} == {  # type: ignore[attr-defined]
            (str(one.products[0].id), "store_payee_not_ready"),
            (str(other.products[0].id), "consent_missing"),
        }
        assert await desk.rows("SELECT 1 FROM orders") == []

    async def test_the_terms_in_force_now_decide(self, desk: Desk) -> None:
        shop = await desk.market()
        await self.publish(desk, shop, min_price_cents=5000)
        with pytest.raises(SaleRefused) as refused:
            await desk.check_out(*shop.products)
        reasons = refused.value.facts["reasons"]
        assert [(r["code"], r["limit"]) for r in reasons] == [  # type: ignore[attr-defined]
            ("below_minimum_price", 5000)
        ]

    async def publish(self, desk: Desk, shop: Market, **conditions: object) -> None:
        async with desk.new_uow() as uow:
            licence = terms(**conditions)
            version = type(shop.terms)(
                id=uuid4(),
                creator_id=shop.creator.id,
                version=2,
                hash=licence.hash,
                terms=licence,
                created_at=desk.clock.now(),
                created_by=shop.creator_user.id,
            )
            uow.terms.add(version)
            (await uow.creators.get(shop.creator.id)).terms_id = version.id
            await uow.commit()

    async def test_only_what_is_on_sale_is_sold(self, desk: Desk) -> None:
        shop = await desk.market()
        (product,) = shop.products
        for status, error in (
            (ProductStatus.DRAFT, NotFound),
            (ProductStatus.INACTIVE, NotForSale),
            (ProductStatus.SUSPENDED, NotForSale),
            (ProductStatus.OUT_OF_STOCK, OutOfStock),
        ):
            await change(desk, product, status=status)
            with pytest.raises(error):
                await desk.check_out(product)

    async def test_more_than_there_is_reserves_nothing(self, desk: Desk) -> None:
        shop = await desk.market(prices_cents=(2500, 2500), stock=3)
        await change(desk, shop.products[1], stock=1)
        with pytest.raises(OutOfStock):
            await desk.check_out(*shop.products, quantity=2)
        assert await desk.rows("SELECT DISTINCT reserved FROM products") == [(0,)]

    async def test_an_order_has_one_currency(self, desk: Desk) -> None:
        one, other = await desk.market(), await desk.market()
        await change(desk, other.products[0], currency=Currency("eur"))
        with pytest.raises(OrderInvalid):
            await desk.check_out(*one.products, *other.products)

    async def test_a_total_below_the_smallest_charge_is_refused(self, desk: Desk) -> None:
        shop = await desk.market(stock=3)
        await self.publish(desk, shop, min_price_cents=0)
        await change(desk, shop.products[0], price_cents=49, product_type="digital")
        with pytest.raises(ChargeTooSmall):
            await desk.check_out(*shop.products)
        assert await desk.rows("SELECT reserved FROM products") == [(0,)]

    async def test_what_the_provider_refuses_ends_the_order_and_frees_its_stock(
        self, desk: Desk
    ) -> None:
        shop, buyer = await desk.market(stock=3), actor()
        desk.provider.calls.fail("start_checkout", "unavailable")
        with pytest.raises(Unavailable):
            await desk.check_out(*shop.products, buyer=buyer)
        desk.provider.calls.recover()
        desk.clock.advance(timedelta(minutes=45))
        with pytest.raises(Rejected):
            await desk.check_out(*shop.products, buyer=buyer)
        assert await desk.rows("SELECT payment_status FROM orders") == [("failed",)]
        assert await desk.rows("SELECT reserved FROM products") == [(0,)]
