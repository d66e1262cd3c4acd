"""Sellers bear the fee, where the setting says so: from the hold, or from what was released."""

from uuid import UUID

import pytest

from adapters.postgres.order_views import PostgresOrderViews
from application.ordering.reading import show_statement
from domain.ledger import effects
from domain.ledger.posting import EffectMismatch
from tests.application.ordering.conftest import ADMIN, HOLD, Desk
from tests.builders import NOON, USD, Market


async def sold(desk: Desk) -> tuple[Market, UUID, str]:
    """One shirt at $25.00: $2.50 for the creator, $10.50 for the store; Stripe keeps $1.03."""
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    charge_id = str((await desk.rows("SELECT charge_id FROM orders"))[0][0])
    desk.fees_borne_by = "seller"
    return shop, order_id, charge_id


async def test_a_held_earning_gives_the_fee(desk: Desk) -> None:
    shop, _, charge_id = await sold(desk)
    await desk.book_fee(charge_id)
    assert "processing_fees" not in await desk.trial_balance()
    assert (await desk.balance(shop.store.id))["pending"] == 1050 - 103
    assert (await desk.balance(shop.creator.id))["pending"] == 250
    await desk.pay_out()
    assert await desk.rows(
        "SELECT amount_cents FROM transfers WHERE payee_id = :id", id=shop.store.id
    ) == [(947,)]
    await desk.check_books()


async def test_a_released_earning_has_it_taken_from_what_is_available(desk: Desk) -> None:
    shop, _, charge_id = await sold(desk)
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.book_fee(charge_id)
    assert (await desk.balance(shop.store.id))["available"] == 947
    await desk.check_books()


async def test_a_store_that_was_paid_owes_it(desk: Desk) -> None:
    shop, _, charge_id = await sold(desk)
    await desk.pay_out()
    await desk.book_fee(charge_id)
    assert (await desk.balance(shop.store.id))["available"] == -103
    await desk.check_books()


@pytest.mark.parametrize("fee_first", [True, False])
async def test_a_refund_of_everything_leaves_the_store_owing_the_fee(
    desk: Desk, fee_first: bool
) -> None:
    shop, order_id, charge_id = await sold(desk)
    if fee_first:
        await desk.book_fee(charge_id)
    await desk.refund(order_id, 1000)
    await desk.refund(order_id)
    await desk.check_books()
    balance = await desk.balance(shop.store.id)
    assert (balance["pending"], balance["available"]) == (0, -103)
    assert (await desk.trial_balance())["stripe_clearing"] == 103
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.check_books()


async def test_it_is_booked_once_whatever_the_setting_says_later(desk: Desk) -> None:
    shop, _, charge_id = await sold(desk)
    await desk.book_fee(charge_id)
    desk.clock.advance(HOLD)
    await desk.release()
    for borne_by in ("seller", "platform"):
        desk.fees_borne_by = borne_by
        await desk.book_fee(charge_id)
    assert (await desk.balance(shop.store.id))["available"] == 947
    assert "processing_fees" not in await desk.trial_balance()


async def test_another_fee_of_the_same_charge_is_a_fault(desk: Desk) -> None:
    _, order_id, charge_id = await sold(desk)
    async with (uow := desk.new_uow()):
        await uow.ledger.post(
            [
                effects.processing_fee(
                    charge_id=charge_id, order_id=order_id, currency=USD, fee_cents=104, at=NOON
                )
            ]
        )
        await uow.commit()
    with pytest.raises(EffectMismatch):
        await desk.book_fee(charge_id)


async def test_the_statement_shows_each_store_its_share(desk: Desk) -> None:
    shop, order_id, charge_id = await sold(desk)
    views = PostgresOrderViews(desk.engine)
    before = await show_statement(order_id, actor=ADMIN, views=views, uow=desk.new_uow())
    assert before.processing_fees == []
    await desk.book_fee(charge_id)
    after = await show_statement(order_id, actor=ADMIN, views=views, uow=desk.new_uow())
    assert [(fee.payee, fee.amount_cents) for fee in after.processing_fees] == [
        (f"store:{shop.store.id}", 103)
    ]
