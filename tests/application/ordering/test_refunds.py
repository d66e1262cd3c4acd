"""Money goes back exactly once, and each party gives back exactly what it had of it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from application.ordering.refund_outcomes import record_refund
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.idempotency import KeyReused
from application.ports.payments import ProviderRefund, RefundRequest
from domain.identity.actor import Actor, Role
from domain.ordering.order import NotPaid
from domain.ordering.refund import NothingToRefund, RefundInvalid, RefundTooLarge
from domain.shared.errors import NotFound
from tests.application.ordering.conftest import HOLD, Desk

EVERYTHING_BACK = {"stripe_clearing": 103, "processing_fees": -103}
"""After a full refund of $25.00 only the fee is left, which the provider keeps."""


async def line_ids(desk: Desk) -> list[UUID]:
    rows = await desk.rows("SELECT id FROM order_lines ORDER BY position")
    return [UUID(str(row[0])) for row in rows]


async def empty_account(desk: Desk, payee_id: UUID) -> None:
    """The payee has taken its money home: nothing is left to ask back."""
    rows = await desk.rows("SELECT account_id FROM payees WHERE id = :id", id=payee_id)
    account_id, now = str(rows[0][0]), desk.clock.now()
    cents = desk.provider.accounts.available_cents(account_id, currency="usd")
    desk.provider.accounts.move(account_id, amount_cents=-cents, currency="usd", available_at=now)


async def test_a_partial_refund_takes_from_every_party_during_the_hold(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.refund(order_id, 1000)
    assert await desk.balance(shop.creator.id) == {
        "pending": 150,
        "available": 0,
        "reserved": 0,
        "lifetime": 150,
    }
    assert (await desk.balance(shop.store.id))["pending"] == 630
    await desk.check_books()
    assert (await desk.trial_balance())["stripe_clearing"] == -1500 + 103


async def test_a_full_refund_leaves_zero_everywhere(desk: Desk) -> None:
    shop = await desk.market()
    await desk.refund(await desk.buy(*shop.products))
    await desk.check_books()
    assert await desk.trial_balance() == EVERYTHING_BACK


async def test_partial_refunds_before_release_and_after_transfer_end_at_zero(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    order_id = await desk.buy(*shop.products)
    await desk.refund(order_id, 333)
    await desk.check_books()
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.refund(order_id, 777)
    await desk.check_books()
    await desk.plan()
    await desk.refund(order_id, 501)
    await desk.check_books()
    await desk.send_transfers()
    await desk.send_reversals()
    await desk.check_books()
    await desk.refund(order_id, 1)
    await desk.check_books()
    await desk.refund(order_id)
    await desk.check_books()
    balances = await desk.trial_balance()
    assert set(balances) == {"stripe_clearing", "processing_fees"}
    for payee_id in (shop.creator.id, shop.store.id):
        assert set((await desk.balance(payee_id)).values()) == {0}


async def test_amounts_and_pieces_mix(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 3000))
    order_id = await desk.buy(*shop.products, quantity=3)
    first, second = await line_ids(desk)
    await desk.refund(order_id, pieces={first: 1})
    await desk.refund(order_id, 4321)
    await desk.refund(order_id, pieces={first: 2, second: 1})
    await desk.check_books()
    assert await desk.rows(
        "SELECT refunded_quantity, refunded_cents = total_cents FROM order_lines ORDER BY position"
    ) == [(3, True), (1, False)]
    await desk.refund(order_id)
    await desk.check_books()
    assert set(await desk.trial_balance()) == {"stripe_clearing", "processing_fees"}


async def test_after_the_transfer_the_money_is_asked_back_from_the_payees(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.pay_out()
    refunded = await desk.ask_refund(order_id, 1000)
    await desk.send_refund(refunded.id)
    assert (await desk.balance(shop.store.id))["available"] == -420
    await desk.send_reversals()
    assert (await desk.balance(shop.store.id))["available"] == 0
    await desk.check_books()


async def test_a_refund_while_the_transfer_is_on_its_way_waits_for_it_and_is_asked_back(
    desk: Desk,
) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.plan()
    await desk.refund(order_id)
    assert len(await desk.waiting("transfer_reversals")) == 2
    assert (await desk.balance(shop.store.id)) == {
        "pending": 0,
        "available": -1050,
        "reserved": 1050,
        "lifetime": 0,
    }
    await desk.check_books()
    await desk.send_transfers()
    await desk.send_reversals()
    assert await desk.waiting("transfer_reversals") == []
    await desk.check_books()
    assert await desk.trial_balance() == EVERYTHING_BACK


async def test_a_refused_reversal_is_a_debt_that_the_next_earnings_pay(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products, key="first")
    await desk.pay_out()
    await empty_account(desk, shop.store.id)
    await desk.refund(order_id)
    assert (await desk.balance(shop.store.id))["available"] == -1050
    assert (await desk.balance(shop.creator.id))["available"] == 0
    await desk.check_books()

    await desk.buy(*shop.products, quantity=2, key="second")
    await desk.pay_out()
    assert set((await desk.balance(shop.store.id)).values()) == {0, 2100}
    assert await desk.rows(
        "SELECT amount_cents FROM transfers WHERE payee_id = :id ORDER BY id", id=shop.store.id
    ) == [(1050,), (1050,)]
    await desk.check_books()


async def test_money_that_is_being_asked_back_is_no_debt_yet(desk: Desk) -> None:
    shop = await desk.market()
    first = await desk.buy(*shop.products, key="first")
    await desk.pay_out()
    refunded = await desk.ask_refund(first)
    await desk.send_refund(refunded.id)
    await desk.buy(*shop.products, key="second")
    await desk.pay_out()
    await desk.send_reversals()
    await desk.plan()
    await desk.send_transfers()
    assert (await desk.balance(shop.store.id))["available"] == 0
    assert (await desk.balance(shop.creator.id))["available"] == 0
    await desk.check_books()


async def test_refunds_at_once_never_exceed_the_total(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await asyncio.gather(
        *(desk.ask_refund(order_id, 1000) for _ in range(6)), return_exceptions=True
    )
    granted = [r for r in asked if not isinstance(r, BaseException)]
    assert len(granted) == 2
    assert all(isinstance(r, RefundTooLarge) for r in asked if isinstance(r, BaseException))
    await asyncio.gather(*(desk.send_refund(refund.id) for refund in granted for _ in range(3)))
    await desk.check_books()
    assert (await desk.trial_balance())["stripe_clearing"] == -500 + 103


async def test_refunds_and_payouts_at_once_keep_the_books(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 1999))
    orders = [await desk.buy(*shop.products, key=f"k{n}") for n in range(4)]
    desk.clock.advance(HOLD)
    refunds = [await desk.ask_refund(order_id, 1234) for order_id in orders]
    await asyncio.gather(
        *(desk.send_refund(refund.id) for refund in refunds), desk.release(), desk.release()
    )
    refunds = [await desk.ask_refund(order_id, 500) for order_id in orders]
    await asyncio.gather(
        desk.plan(), *(desk.send_refund(refund.id) for refund in refunds), desk.plan()
    )
    await desk.send_transfers()
    await desk.send_reversals()
    await desk.check_books()
    for order_id in orders:
        await desk.refund(order_id)
    await desk.check_books()
    assert set(await desk.trial_balance()) == {"stripe_clearing", "processing_fees"}


async def test_the_same_request_is_the_same_refund(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    first = await desk.ask_refund(order_id, 1000, key="once")
    again = await desk.ask_refund(order_id, 1000, key="once")
    assert again == first
    with pytest.raises(KeyReused):
        await desk.ask_refund(order_id, 1001, key="once")
    await desk.send_refund(first.id)
    await desk.send_refund(first.id)
    assert (await desk.ask_refund(order_id, 1000, key="once")).status == "succeeded"
    await desk.check_books()
    assert (await desk.trial_balance())["stripe_clearing"] == -1500 + 103


async def test_ten_clicks_at_once_are_one_refund(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await asyncio.gather(*(desk.ask_refund(order_id, 100, key="once") for _ in range(10)))
    assert len({refund.id for refund in asked}) == 1


async def test_a_key_belongs_to_whoever_used_it(desk: Desk) -> None:
    one, other = await desk.market(), await desk.market()
    order_id = await desk.buy(*one.products, *other.products)
    owners = [Actor(s.owner.id, frozenset({Role.STORE_OWNER})) for s in (one, other)]
    await desk.ask_refund(order_id, 100, key="mine", by=owners[0])
    with pytest.raises(KeyReused):
        await desk.ask_refund(order_id, 100, key="mine", by=owners[1])


async def test_a_store_refunds_what_it_sold_and_nothing_else(desk: Desk) -> None:
    one, other = await desk.market(), await desk.market(prices_cents=(4000,))
    order_id = await desk.buy(*one.products, *other.products)
    owner = Actor(one.owner.id, frozenset({Role.STORE_OWNER}))
    theirs = (await line_ids(desk))[1]
    with pytest.raises(RefundTooLarge):
        await desk.ask_refund(order_id, 2501, by=owner)
    with pytest.raises(NotFound):
        await desk.ask_refund(order_id, pieces={theirs: 1}, by=owner)
    with pytest.raises(NotFound):
        stranger = Actor(other.creator_user.id, frozenset({Role.CREATOR}))
        await desk.ask_refund(order_id, 1, by=stranger)
    await desk.refund(order_id, by=owner)
    assert (await desk.balance(one.store.id))["pending"] == 0
    assert (await desk.balance(other.store.id))["pending"] > 0
    await desk.check_books()


async def test_a_failed_refund_may_be_asked_again(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await desk.ask_refund(order_id)
    with pytest.raises(NothingToRefund):
        await desk.ask_refund(order_id)
    failed = ProviderRefund(
        provider_id="re_failed",
        refund_id=asked.id,
        status="failed",
        amount_cents=2500,
        failure_reason="lost_or_stolen_card",
    )
    for _ in range(2):
        await record_refund(asked.id, failed, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)
    assert await desk.rows("SELECT status, failure_reason FROM refunds") == [
        ("failed", "lost_or_stolen_card")
    ]
    await desk.check_books()
    await desk.refund(order_id)
    await desk.check_books()
    assert await desk.trial_balance() == EVERYTHING_BACK


async def test_what_the_provider_refuses_has_failed_and_is_not_posted(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    charge_id = str((await desk.rows("SELECT charge_id FROM orders"))[0][0])
    await desk.provider.payments.refund(
        RefundRequest(
            refund_id=desk.ids.new(),
            order_id=order_id,
            charge_id=charge_id,
            amount_cents=2000,
            currency="usd",
            attempt=1,
        )
    )
    asked = await desk.ask_refund(order_id)
    await desk.send_refund(asked.id)
    assert await desk.rows("SELECT status, failure_reason FROM refunds") == [
        ("failed", "invalid_request_error")
    ]
    assert await desk.rows("SELECT refunded_cents, returned_cents FROM order_lines") == [(0, 0)]


async def test_a_refund_whose_answer_was_lost_is_found_and_posted_once(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await desk.ask_refund(order_id, 1000)
    desk.provider.calls.fail("refund", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await desk.send_refund(asked.id)
    assert await desk.rows("SELECT status FROM refunds") == [("pending",)]
    desk.provider.calls.recover()
    desk.clock.advance(timedelta(days=2))
    await desk.send_refund(asked.id)
    await desk.check_books()
    assert (await desk.trial_balance())["stripe_clearing"] == -1500 + 103


async def test_while_the_provider_is_away_nothing_is_posted(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    asked = await desk.ask_refund(order_id, 1000)
    desk.provider.calls.fail("refund", "unavailable")
    with pytest.raises(Unavailable):
        await desk.send_refund(asked.id)
    assert (await desk.trial_balance())["stripe_clearing"] == -2500
    desk.provider.calls.recover()
    await desk.send_refund(asked.id)
    await desk.check_books()


async def test_a_refund_that_waits_for_funds_is_posted_when_they_come(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    missing = desk.provider.payments.balance_cents("usd") - 500
    desk.provider.payments.fund(amount_cents=-missing, currency="usd")
    asked = await desk.ask_refund(order_id, 1000)
    await desk.send_refund(asked.id)
    assert await desk.rows("SELECT status FROM refunds") == [("pending",)]
    assert (await desk.trial_balance())["stripe_clearing"] == -2500
    desk.provider.payments.fund(amount_cents=missing, currency="usd")
    await desk.send_refund(asked.id)
    await desk.check_books()


async def test_a_refund_that_the_bank_sends_back_is_owed_to_the_buyer(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    refund_id = await desk.refund(order_id, 1000)
    provider_id = str((await desk.rows("SELECT provider_id FROM refunds"))[0][0])
    desk.provider.payments.return_refund(provider_id, reason="expired_or_canceled_card")
    charge_id = str((await desk.rows("SELECT charge_id FROM orders"))[0][0])
    said = await desk.provider.payments.find_refund(refund_id=refund_id, charge_id=charge_id)
    assert said is not None
    await asyncio.gather(
        *(
            record_refund(refund_id, said, uow=desk.new_uow(), clock=desk.clock, ids=desk.ids)
            for _ in range(5)
        )
    )
    assert await desk.rows("SELECT status, failure_reason FROM refunds") == [
        ("returned", "expired_or_canceled_card")
    ]
    await desk.check_books()
    assert (await desk.trial_balance())["refunds_returned"] == 1000
    assert (await desk.balance(shop.store.id))["pending"] == 630
    with pytest.raises(RefundTooLarge):
        await desk.ask_refund(order_id, 1501)


async def test_ten_answers_at_once_are_posted_once(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.pay_out()
    asked = await desk.ask_refund(order_id, 1000)
    await asyncio.gather(*(desk.send_refund(asked.id) for _ in range(10)))
    assert len(await desk.waiting("transfer_reversals")) == 2
    await desk.send_reversals()
    await desk.check_books()


async def test_an_unpaid_order_has_nothing_to_refund(desk: Desk) -> None:
    shop = await desk.market()
    checkout = await desk.check_out(*shop.products)
    with pytest.raises(NotPaid):
        await desk.ask_refund(checkout.order_id, 100)
    with pytest.raises(RefundInvalid):
        await desk.ask_refund(checkout.order_id, 100, pieces={checkout.order_id: 1})
