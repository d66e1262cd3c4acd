"""What buyers are told of their orders: each state once, in order, whenever it is handled."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from adapters.memory.live import MemoryLive
from application.ordering.cancellation import cancel_order
from application.ordering.closing import close_order
from application.ordering.completion import ORDER_PAID
from application.ordering.paid import announce_paid
from application.ordering.telling import ORDER_CHANGED, announce_changes
from application.ports.messages import Message
from domain.identity.actor import Role
from domain.ordering.order import PaymentStatus
from tests.application.ordering.conftest import HOLD, Desk
from tests.builders import actor

HANDLERS = {ORDER_PAID: announce_paid, ORDER_CHANGED: announce_changes}


async def handle(desk: Desk, *, backwards: bool = False) -> None:
    """All that is waiting, twice each."""
    rows: Sequence[Any] = await desk.rows(
        "DELETE FROM outbox_messages WHERE topic = ANY(:topics) RETURNING id, topic, payload",
        topics=list(HANDLERS),
    )
    found = sorted(rows, key=lambda row: str(row[0]), reverse=backwards)
    for message_id, topic, payload in [row for row in found for _ in range(2)]:
        message = Message(
            id=message_id,
            box="outbox",
            topic=topic,
            payload=bytes(payload),
            attempts=1,
            created_at=desk.clock.now(),
        )
        handler = HANDLERS[topic]
        await handler([message], new_uow=desk.new_uow, live=MemoryLive(), clock=desk.clock)


async def told(desk: Desk) -> list[dict[str, Any]]:
    rows: Sequence[Any] = await desk.rows(
        "SELECT seq, event FROM user_events WHERE kind = 'orders' ORDER BY seq"
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    return [msgspec.convert(row[1], dict[str, Any]) for row in rows]


def axes(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["status"], one["refund_status"], one["dispute_status"]) for one in events]


async def test_each_state_is_told_once_in_order(desk: Desk) -> None:
    market = await desk.market()
    order_id = await desk.buy(market.products[0])
    await handle(desk)
    await desk.refund(order_id, 500)
    await handle(desk)
    dispute_id = await desk.dispute(order_id)
    await handle(desk)
    await desk.hear(dispute_id)
    await handle(desk)
    await desk.decide(dispute_id, "lost")
    await handle(desk)
    events = await told(desk)
    assert axes(events) == [
        ("paid", "none", "none"),
        ("paid", "partial", "none"),
        ("paid", "partial", "open"),
        ("paid", "partial", "lost"),
    ]
    assert {one["order_id"] for one in events} == {str(order_id)}
    assert events[-1]["payment_status"] == "paid"


@pytest.mark.parametrize("backwards", [False, True])
async def test_handled_late_only_what_is_still_so_is_told(desk: Desk, backwards: bool) -> None:
    market = await desk.market()
    order_id = await desk.buy(market.products[0])
    await desk.refund(order_id, 500)
    dispute_id = await desk.dispute(order_id)
    await desk.decide(dispute_id, "won")
    await handle(desk, backwards=backwards)
    assert axes(await told(desk)) == [("paid", "partial", "won")]


async def test_an_order_that_ends_or_is_called_off_is_told(desk: Desk) -> None:
    market = await desk.market()
    unpaid = await desk.check_out(market.products[0])
    assert await close_order(unpaid.order_id, PaymentStatus.EXPIRED, uow=desk.new_uow())
    await handle(desk)
    paid = await desk.buy(market.products[0], key="other")
    await handle(desk)
    await cancel_order(
        paid,
        actor=actor(Role.ADMIN),
        uow=desk.new_uow(),
        payments=desk.provider.payments,
        clock=desk.clock,
        ids=desk.ids,
        hold=HOLD,
    )
    await handle(desk)
    found: Sequence[Any] = await desk.rows("SELECT event FROM user_events ORDER BY created_at, seq")
    words = [(row[0]["order_id"], row[0]["status"], row[0]["payment_status"]) for row in found]
    assert sorted(words) == sorted(
        [
            (str(unpaid.order_id), "cancelled", "expired"),
            (str(paid), "paid", "paid"),
            (str(paid), "cancelled", "paid"),
        ]
    )
