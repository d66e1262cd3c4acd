"""A hold ends once, and not while a refund of the order is open."""

import asyncio
from datetime import timedelta

from application.ledger.releases import release_due_earnings
from tests.application.ordering.conftest import HOLD, Desk

TICK = timedelta(microseconds=1)


async def test_the_hold_ends_on_time_and_not_before(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    desk.clock.advance(HOLD - TICK)
    assert await desk.release() == 0
    assert (await desk.balance(shop.store.id))["pending"] == 1050
    desk.clock.advance(TICK)
    assert await desk.release() == 2
    assert await desk.balance(shop.store.id) == {
        "pending": 0,
        "available": 1050,
        "reserved": 0,
        "lifetime": 1050,
    }
    await desk.check_books()


async def test_an_open_refund_holds_the_release_until_it_has_ended(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await desk.ask_refund(order_id, 1000)
    desk.clock.advance(HOLD)
    assert await desk.release() == 0
    await desk.send_refund(asked.id)
    assert await desk.release() == 2
    assert (await desk.balance(shop.store.id))["available"] == 630
    await desk.check_books()


async def test_an_open_refund_holds_the_transfer_as_well(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    desk.clock.advance(HOLD)
    await desk.release()
    asked = await desk.ask_refund(order_id, 1000)
    assert await desk.plan() == 0
    await desk.send_refund(asked.id)
    assert await desk.plan() == 2
    await desk.send_transfers()
    assert await desk.rows("SELECT DISTINCT sum(amount_cents) FROM transfers") == [(780,)]
    await desk.check_books()


async def test_an_open_refund_of_one_order_holds_no_other(desk: Desk) -> None:
    shop = await desk.market()
    first = await desk.buy(*shop.products, key="first")
    await desk.buy(*shop.products, key="second")
    await desk.ask_refund(first, 1000)
    desk.clock.advance(HOLD)
    assert await desk.release() == 2


async def test_releases_at_once_release_once(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 1999, 1500))
    for number in range(3):
        await desk.buy(*shop.products, key=f"k{number}")
    desk.clock.advance(HOLD)
    released = await asyncio.gather(*(desk.release() for _ in range(5)))
    assert sum(released) == 6
    await desk.check_books()
    planned = await asyncio.gather(*(desk.plan() for _ in range(5)))
    assert sum(planned) == 6
    await desk.check_books()
    await desk.send_transfers()
    await desk.check_books()
    assert "payable_available" not in await desk.trial_balance()


async def test_an_earning_that_was_refunded_whole_releases_nothing(desk: Desk) -> None:
    shop = await desk.market()
    await desk.refund(await desk.buy(*shop.products))
    desk.clock.advance(HOLD)
    assert await desk.release() == 2
    assert await desk.plan() == 0
    assert await desk.rows("SELECT DISTINCT state FROM earnings") == [("settled",)]
    assert await desk.rows("SELECT 1 FROM ledger_transactions WHERE kind = 'release'") == []
    await desk.check_books()


async def test_a_full_batch_says_that_there_may_be_more(desk: Desk) -> None:
    shop = await desk.market()
    for number in range(2):
        await desk.buy(*shop.products, key=f"k{number}")
    desk.clock.advance(HOLD)
    batches = [
        await release_due_earnings(uow=desk.new_uow(), clock=desk.clock, limit=3) for _ in range(3)
    ]
    assert batches == [3, 1, 0]
    await desk.check_books()
