"""Events of disputes, as the inbox hands them on: one that fails does not hold up the rest."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import msgspec

from application.messaging.retrying import RetryPolicy, setback_of
from application.ordering.disputes import DisputedOrderUnknown
from application.ordering.payment_events import handle_payment_events
from application.ports.messages import Message, ParkMessage
from application.ports.payments import DisputeChanged
from domain.shared.disputes import DisputeStatus
from tests.application.ordering.conftest import HOLD, Desk
from tests.builders import NOON

POLICY = RetryPolicy()


def message_of(desk: Desk, said: DisputeChanged, *, attempts: int = 1) -> Message:
    return Message(
        id=desk.ids.new(),
        box="inbox",
        topic="memory",
        payload=desk.provider.webhooks.tell(said).body,
        attempts=attempts,
        created_at=desk.clock.now(),
    )


async def handle(desk: Desk, *messages: Message) -> Mapping[UUID, Exception]:
    return await handle_payment_events(
        messages,
        new_uow=desk.new_uow,
        webhooks=desk.provider.webhooks,
        clock=desk.clock,
        ids=desk.ids,
        hold=HOLD,
    )


async def test_a_dispute_of_an_unknown_order_is_tried_again_then_parked(desk: Desk) -> None:
    shop = await desk.market()
    paid = await desk.pay(await desk.check_out(*shop.products))
    theirs = desk.provider.payments.dispute(paid.charge_id)
    message = message_of(desk, desk.provider.payments.dispute_said(theirs))
    error = (await handle(desk, message))[message.id]
    assert isinstance(error, DisputedOrderUnknown)
    assert error.code == "disputed_order_unknown"
    soon = setback_of(message, error, policy=POLICY, now=NOON)
    assert soon.state == "pending"
    assert soon.error.startswith("DisputedOrderUnknown: ")
    last = msgspec.structs.replace(message, attempts=POLICY.max_attempts)
    assert setback_of(last, error, policy=POLICY, now=NOON).state == "parked"
    await desk.settle(paid)
    assert await handle(desk, message) == {}
    assert await desk.rows("SELECT dispute_status FROM orders") == [("open",)]
    await desk.check_books()


async def test_won_then_lost_is_parked_and_holds_up_nobody(desk: Desk) -> None:
    shop = await desk.market()
    payments = desk.provider.payments
    orders = [await desk.buy(*shop.products, key=key) for key in "ab"]
    first, second = [payments.dispute(await desk.charge_of(order_id)) for order_id in orders]
    opened = [message_of(desk, payments.dispute_said(d)) for d in (first, second)]
    assert await handle(desk, *opened, *opened) == {}
    payments.decide(first, "won")
    won = payments.dispute_said(first)
    assert await handle(desk, message_of(desk, won)) == {}
    lost = message_of(desk, msgspec.structs.replace(won, status=DisputeStatus.LOST))
    payments.decide(second, "lost")
    fine = message_of(desk, payments.dispute_said(second))
    failures = await handle(desk, lost, fine)
    assert list(failures) == [lost.id]
    error = failures[lost.id]
    assert isinstance(error, ParkMessage)
    setback = setback_of(lost, error, policy=POLICY, now=NOON)
    assert (setback.state, "contradicts" in setback.error) == ("parked", True)
    assert await desk.rows("SELECT status FROM disputes ORDER BY id") == [("won",), ("lost",)]
    await desk.check_books()


async def test_another_currency_than_the_orders_is_parked(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    theirs = desk.provider.payments.dispute(await desk.charge_of(order_id))
    said = desk.provider.payments.dispute_said(theirs)
    message = message_of(desk, msgspec.structs.replace(said, currency="eur"))
    assert isinstance((await handle(desk, message))[message.id], ParkMessage)
    assert await desk.rows("SELECT 1 FROM disputes") == []


async def test_an_unreadable_event_is_parked_beside_one_that_is_read(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    theirs = desk.provider.payments.dispute(await desk.charge_of(order_id))
    fine = message_of(desk, desk.provider.payments.dispute_said(theirs))
    broken = msgspec.structs.replace(fine, id=desk.ids.new(), payload=b"{}")
    failures = await handle(desk, broken, fine)
    assert list(failures) == [broken.id]
    assert isinstance(failures[broken.id], ParkMessage)
    assert await desk.rows("SELECT dispute_status FROM orders") == [("open",)]
    desk.clock.advance(timedelta(days=1))
    assert await handle(desk, fine) == {}
