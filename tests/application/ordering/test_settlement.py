"""A paid order is settled once, exactly, whoever says that it was paid and how often."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from domain.ordering.settlement import PaymentMismatch
from tests.application.ordering.conftest import Desk
from tests.builders import market


async def test_a_payment_is_split_held_and_posted(desk: Desk) -> None:
    shop = await market(desk.new_uow())
    await desk.buy(*shop.products)
    assert await desk.trial_balance() == {
        "stripe_clearing": -2500,
        "payable_pending": 250 + 1050,
        "platform_revenue": 250,
        "production_cost_payable": 950,
    }
    assert (await desk.balance(shop.creator.id))["pending"] == 250
    assert (await desk.balance(shop.store.id))["pending"] == 1050


async def test_the_same_payment_again_changes_nothing(desk: Desk) -> None:
    shop = await market(desk.new_uow())
    captured = await desk.pay(await desk.check_out(*shop.products))
    assert await desk.settle(captured, captured) == {}
    before = await desk.trial_balance()
    assert await desk.settle(captured) == {}
    assert await desk.trial_balance() == before


async def test_ten_deliveries_at_once_settle_once(desk: Desk) -> None:
    shop = await market(desk.new_uow())
    captured = await desk.pay(await desk.check_out(*shop.products))
    assert await asyncio.gather(*(desk.settle(captured) for _ in range(10))) == [{}] * 10
    assert await desk.trial_balance() == {
        "stripe_clearing": -2500,
        "payable_pending": 1300,
        "platform_revenue": 250,
        "production_cost_payable": 950,
    }


async def test_a_second_charge_or_another_amount_settles_nothing(desk: Desk) -> None:
    shop = await market(desk.new_uow())
    captured = await desk.pay(await desk.check_out(*shop.products))
    short = type(captured)(
        order_id=captured.order_id,
        payment_id=captured.payment_id,
        charge_id="ch_short",
        amount_cents=captured.amount_cents - 1,
        currency="usd",
    )
    failures = await desk.settle(short, captured)
    assert list(failures) == ["ch_short"]
    assert isinstance(failures["ch_short"], PaymentMismatch)
    failures = await desk.settle(
        type(captured)(
            order_id=captured.order_id,
            payment_id="pi_2",
            charge_id="ch_second",
            amount_cents=2500,
            currency="usd",
        )
    )
    assert isinstance(failures["ch_second"], PaymentMismatch)
    assert (await desk.trial_balance())["stripe_clearing"] == -2500


async def test_limited_stock_is_never_oversold(desk: Desk) -> None:
    shop = await market(desk.new_uow(), stock=3)
    results = await asyncio.gather(
        *(desk.check_out(*shop.products, key=f"k{n}") for n in range(8)), return_exceptions=True
    )
    started = [r for r in results if not isinstance(r, BaseException)]
    assert len(started) == 3
    for checkout in started:
        assert await desk.settle(await desk.pay(checkout)) == {}
    assert await desk.rows("SELECT stock, reserved, status FROM products") == [
        (0, 0, "out_of_stock")
    ]


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transactions"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET currency = 'eur'"])
async def test_the_database_refuses_to_change_what_is_posted(
    desk: Desk, table: str, act: str
) -> None:
    shop = await market(desk.new_uow())
    await desk.buy(*shop.products)
    with pytest.raises(DBAPIError, match="append-only"):
        async with desk.engine.begin() as connection:
            await connection.exec_driver_sql(act.format(table))


async def test_the_database_refuses_a_transaction_that_does_not_balance(desk: Desk) -> None:
    with pytest.raises(DBAPIError, match="sum to zero"):
        async with desk.engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO ledger_transactions VALUES "
                "(gen_random_uuid(), 'x', 'x', 'usd', '', NULL, now(), current_date)"
            )
            await connection.exec_driver_sql(
                "INSERT INTO ledger_entries "
                "SELECT id, 0, 'stripe_clearing', NULL, 5, 'usd', posted_on "
                "FROM ledger_transactions"
            )
    with pytest.raises(DBAPIError, match="does not balance"):
        async with desk.engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO ledger_transactions VALUES "
                "(gen_random_uuid(), 'y', 'x', 'usd', '', NULL, now(), current_date)"
            )
