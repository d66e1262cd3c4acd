"""What was released is sent once to each payee, whatever the provider says on the way."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from application.ledger.fees import record_processing_fee
from application.ledger.transfers import send_reversal, send_transfer
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.messages import RetryLater
from tests.application.ordering.conftest import HOLD, Desk


async def released(desk: Desk, *, plan: bool = True) -> tuple[UUID, UUID]:
    """A shirt was sold and its hold is over; answers the creator and the store."""
    shop = await desk.market()
    await desk.buy(*shop.products)
    desk.clock.advance(HOLD)
    await desk.release()
    if plan:
        await desk.plan()
    return shop.creator.id, shop.store.id


async def account_of(desk: Desk, payee_id: UUID) -> str:
    rows = await desk.rows("SELECT account_id FROM payees WHERE id = :id", id=payee_id)
    return str(rows[0][0])


async def transfer_of(desk: Desk, payee_id: UUID) -> UUID:
    rows = await desk.rows("SELECT id FROM transfers WHERE payee_id = :id", id=payee_id)
    return UUID(str(rows[0][0]))


async def send(desk: Desk, transfer_id: UUID) -> None:
    await send_transfer(
        transfer_id, uow=desk.new_uow(), payments=desk.provider.payments, clock=desk.clock
    )


async def test_each_payee_has_its_money_and_the_ledger_owes_nothing_more(desk: Desk) -> None:
    creator, store = await released(desk)
    assert (await desk.balance(store))["reserved"] == 1050
    await desk.send_transfers()
    accounts = [await account_of(desk, payee) for payee in (creator, store)]
    held = [desk.provider.accounts.available_cents(a, currency="usd") for a in accounts]
    assert held == [250, 1050]
    assert await desk.balance(store) == {
        "pending": 0,
        "available": 0,
        "reserved": 0,
        "lifetime": 1050,
    }
    await desk.check_books()


async def test_a_transfer_is_sent_once_however_often_it_is_tried(desk: Desk) -> None:
    _, store = await released(desk)
    transfer = await transfer_of(desk, store)
    await asyncio.gather(*(send(desk, transfer) for _ in range(5)))
    desk.clock.advance(timedelta(days=3))
    await send(desk, transfer)
    account = await account_of(desk, store)
    assert desk.provider.accounts.available_cents(account, currency="usd") == 1050
    await desk.check_books()


async def test_a_refused_transfer_stays_reserved_and_goes_out_under_a_new_attempt(
    desk: Desk,
) -> None:
    _, store = await released(desk)
    transfer, account = await transfer_of(desk, store), await account_of(desk, store)
    desk.provider.accounts.suspend(account, reason="under_review")
    with pytest.raises(RetryLater):
        await send(desk, transfer)
    assert (await desk.balance(store))["reserved"] == 1050
    assert await desk.rows(
        "SELECT state, attempt, last_error FROM transfers WHERE id = :id", id=transfer
    ) == [("intended", 2, "insufficient_capabilities_for_transfer")]
    await desk.check_books()

    desk.provider.accounts.complete_onboarding(account)
    await send(desk, transfer)
    assert await desk.rows(
        "SELECT state, attempt, last_error FROM transfers WHERE id = :id", id=transfer
    ) == [("sent", 2, None)]
    await desk.check_books()


async def test_a_transfer_whose_answer_was_lost_is_found_after_the_key_is_forgotten(
    desk: Desk,
) -> None:
    _, store = await released(desk)
    transfer = await transfer_of(desk, store)
    desk.provider.calls.fail("transfer", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await send(desk, transfer)
    assert (await desk.balance(store))["reserved"] == 1050
    desk.provider.calls.recover()
    desk.clock.advance(timedelta(days=2))
    await send(desk, transfer)
    account = await account_of(desk, store)
    assert desk.provider.accounts.available_cents(account, currency="usd") == 1050
    await desk.check_books()


async def test_while_the_provider_is_away_the_money_stays_reserved(desk: Desk) -> None:
    _, store = await released(desk)
    transfer = await transfer_of(desk, store)
    desk.provider.calls.fail("transfer", "unavailable")
    with pytest.raises(Unavailable):
        await send(desk, transfer)
    assert (await desk.balance(store))["reserved"] == 1050
    desk.provider.calls.recover()
    await send(desk, transfer)
    await desk.check_books()


async def test_a_payee_that_cannot_be_paid_keeps_its_earnings_until_it_can(desk: Desk) -> None:
    _, store = await released(desk, plan=False)
    async with desk.new_uow() as uow:
        (await uow.payees.get(store)).disabled_reason = "requirements.past_due"
        await uow.commit()
    assert await desk.plan() == 1
    assert (await desk.balance(store))["available"] == 1050
    async with desk.new_uow() as uow:
        (await uow.payees.get(store)).disabled_reason = None
        await uow.commit()
    assert await desk.plan() == 1
    await desk.send_transfers()
    await desk.check_books()


async def test_planning_does_not_wait_for_whoever_holds_the_order(desk: Desk) -> None:
    """A refund holds the order and then wants its earnings; planning holds the earnings and
    refers to the order: neither may wait for the other in a circle."""
    await released(desk, plan=False)
    order_id = UUID(str((await desk.rows("SELECT id FROM orders"))[0][0]))
    async with desk.new_uow() as refund:
        await refund.orders.get(order_id, lock=True)
        assert await asyncio.wait_for(desk.plan(), timeout=5) == 2


async def test_a_reversal_whose_answer_was_lost_is_found(desk: Desk) -> None:
    _, store = await released(desk)
    await desk.send_transfers()
    order_id = UUID(str((await desk.rows("SELECT id FROM orders"))[0][0]))
    await desk.send_refund((await desk.ask_refund(order_id)).id)
    desk.provider.calls.fail("reverse_transfer", "lost_answer")
    for reversal_id in await desk.waiting("transfer_reversals"):
        with pytest.raises(OutcomeUnknown):
            await send_reversal(
                reversal_id,
                uow=desk.new_uow(),
                payments=desk.provider.payments,
                clock=desk.clock,
            )
    assert (await desk.balance(store))["available"] == -1050
    desk.provider.calls.recover()
    desk.clock.advance(timedelta(days=2))
    await desk.send_reversals()
    await desk.send_reversals()
    assert (await desk.balance(store))["available"] == 0
    await desk.check_books()


async def test_the_providers_fee_is_booked_once(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    charge_id = str((await desk.rows("SELECT charge_id FROM orders"))[0][0])
    await asyncio.gather(*(desk.book_fee(charge_id) for _ in range(5)))
    balances = await desk.trial_balance()
    assert (balances["stripe_clearing"], balances["processing_fees"]) == (-2397, -103)
    await desk.check_books()


async def test_a_fee_waits_for_its_order(desk: Desk) -> None:
    with pytest.raises(RetryLater):
        await record_processing_fee(
            "ch_unknown",
            uow=desk.new_uow(),
            payments=desk.provider.payments,
            clock=desk.clock,
        )
