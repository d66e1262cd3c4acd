"""When no word of a payment comes, the provider is asked, and what follows from it is done."""

import asyncio
from datetime import timedelta

import pytest

from application.ordering.completion import sweep_checkouts
from application.ports.errors import Unavailable
from domain.ordering.settlement import PaymentMismatch
from tests.application.ordering.conftest import Desk
from tests.builders import actor

PAST_THE_END = timedelta(minutes=61)


async def status(desk: Desk) -> list[tuple[object, ...]]:
    return await desk.rows("SELECT payment_status FROM orders ORDER BY id")


async def test_a_payment_that_nobody_told_us_of_is_settled(desk: Desk) -> None:
    shop = await desk.market()
    checkout = await desk.check_out(*shop.products)
    await desk.pay(checkout)
    await desk.reconcile(checkout.order_id)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("paid",)]
    await desk.check_books()


async def test_while_the_buyer_may_still_pay_nothing_happens(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("unpaid",)]
    assert await desk.rows("SELECT reserved FROM products") == [(1,)]


async def test_an_expired_checkout_frees_its_stock_once(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products, quantity=2)
    desk.clock.advance(PAST_THE_END)
    await asyncio.gather(*(desk.reconcile(checkout.order_id) for _ in range(5)))
    assert await status(desk) == [("expired",)]
    assert await desk.rows("SELECT stock, reserved, status FROM products") == [(3, 0, "active")]
    with pytest.raises(ValueError, match="expired"):
        desk.provider.payments.pay(checkout.session_id)


async def test_an_order_without_a_page_expires_as_well(desk: Desk) -> None:
    shop, buyer = await desk.market(stock=3), actor()
    desk.provider.calls.fail("start_checkout", "unavailable")
    with pytest.raises(Unavailable):
        await desk.check_out(*shop.products, buyer=buyer)
    order_id = (await desk.rows("SELECT id FROM orders"))[0][0]
    desk.clock.advance(PAST_THE_END)
    await desk.reconcile(order_id)  # type: ignore[arg-type]
    assert await status(desk) == [("expired",)]
    assert await desk.rows("SELECT reserved FROM products") == [(0,)]


async def test_what_is_paid_at_the_last_moment_is_settled(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products)
    desk.clock.advance(PAST_THE_END - timedelta(minutes=1, seconds=1))
    await desk.pay(checkout)
    desk.clock.advance(PAST_THE_END)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("paid",)]
    assert await desk.rows("SELECT stock, reserved FROM products") == [(2, 0)]
    await desk.check_books()


async def test_a_bank_debit_is_waited_for_and_then_settled(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products)
    desk.provider.payments.promise(checkout.session_id)
    desk.clock.advance(PAST_THE_END)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("processing",)]
    assert await desk.rows("SELECT reserved FROM products") == [(1,)]
    desk.provider.payments.settle(checkout.session_id, paid=True)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("paid",)]
    await desk.check_books()


async def test_a_bank_debit_that_fails_ends_the_order_and_frees_its_stock(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products)
    desk.provider.payments.promise(checkout.session_id)
    await desk.reconcile(checkout.order_id)
    desk.provider.payments.settle(checkout.session_id, paid=False)
    await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("failed",)]
    assert await desk.rows("SELECT stock, reserved FROM products") == [(3, 0)]


async def test_webhook_and_sweep_at_once_settle_once(desk: Desk) -> None:
    shop = await desk.market(stock=3)
    checkout = await desk.check_out(*shop.products)
    captured = await desk.pay(checkout)
    await asyncio.gather(
        *(desk.reconcile(checkout.order_id) for _ in range(4)),
        *(desk.settle(captured) for _ in range(4)),
    )
    assert await status(desk) == [("paid",)]
    assert await desk.rows("SELECT stock, reserved FROM products") == [(2, 0)]
    await desk.check_books()


async def test_a_payment_that_differs_is_told_and_settles_nothing(desk: Desk) -> None:
    shop = await desk.market()
    checkout = await desk.check_out(*shop.products)
    await desk.pay(checkout)
    async with desk.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE orders SET total_cents = total_cents + 1")
    with pytest.raises(PaymentMismatch):
        await desk.reconcile(checkout.order_id)
    assert await status(desk) == [("unpaid",)]


async def test_the_sweep_asks_about_each_unpaid_order_and_again_later(desk: Desk) -> None:
    shop = await desk.market()
    for number in range(3):
        await desk.check_out(*shop.products, key=f"k{number}")
    await desk.buy(*shop.products, key="paid")

    async def sweep() -> int:
        return await sweep_checkouts(uow=desk.new_uow(), clock=desk.clock)

    assert await sweep() == 0
    desk.clock.advance(timedelta(minutes=2))
    assert sum(await asyncio.gather(*(sweep() for _ in range(4)))) == 3
    assert await sweep() == 0
    desk.clock.advance(timedelta(minutes=10))
    assert await sweep() == 3
