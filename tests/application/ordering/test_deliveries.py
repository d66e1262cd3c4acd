"""Where goods go: told before paying or to the payment page, kept once, encrypted, shown to few."""

from uuid import UUID

import msgspec
import pytest

from adapters.memory.live import MemoryLive
from application.ordering.completion import ORDER_PAID, OrderPaid
from application.ordering.deliveries import COLLECT_ADDRESS, collect_address
from application.ordering.invoices import ISSUE_INVOICE
from application.ordering.paid import announce_paid
from application.ports.messages import Message, RetryLater
from domain.ordering.address import Address
from domain.ordering.order import DeliveryHold, Order, PaymentStatus
from tests.application.ordering.conftest import Desk

HOME = Address(country="DE", name="Ada Lace", line1="1 Known Street", city="Berlin")


async def placed(desk: Desk, *, kept_to: tuple[str, ...] | None = None) -> tuple[UUID, str]:
    """An order whose page asks where it goes; `kept_to` is what the licences then allowed."""
    checkout = await desk.check_out(*(await desk.market()).products)
    if kept_to is not None:
        async with desk.new_uow() as uow:
            (await uow.orders.get(checkout.order_id)).ship_countries = kept_to
            await uow.commit()
    return checkout.order_id, checkout.session_id


async def paid(desk: Desk, session_id: str, *, ship_to: Address = HOME) -> None:
    captured = desk.provider.payments.pay(session_id, ship_to=ship_to)
    assert await desk.settle(captured) == {}


async def collect(desk: Desk, order_id: UUID) -> None:
    await collect_address(order_id, uow=desk.new_uow(), payments=desk.provider.payments)


async def order_of(desk: Desk, order_id: UUID) -> Order:
    async with desk.new_uow() as uow:
        return await uow.orders.get(order_id)


async def asked_for(desk: Desk, topic: str) -> int:
    return len(await desk.rows("SELECT id FROM outbox_messages WHERE topic = :topic", topic=topic))


async def audited(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.rows("SELECT act, object_id FROM audit_entries WHERE act LIKE 'order.%'")
    return [(str(act), str(object_id)) for act, object_id in rows]


async def test_what_the_page_collected_is_kept_once_and_then_invoiced(desk: Desk) -> None:
    order_id, session_id = await placed(desk)
    await paid(desk, session_id)

    for _ in range(2):
        await collect(desk, order_id)

    order = await order_of(desk, order_id)
    assert (order.ship_to, order.delivery_hold) == (HOME, None)
    assert await asked_for(desk, ISSUE_INVOICE) == 1


async def test_nobody_who_reads_the_tables_learns_where_somebody_lives(desk: Desk) -> None:
    order_id, session_id = await placed(desk)
    await paid(desk, session_id)
    await collect(desk, order_id)

    ((stored,),) = await desk.rows("SELECT ship_to::text FROM orders WHERE id = :id", id=order_id)
    assert "Known Street" not in str(stored)
    assert "Ada" not in str(stored)


async def test_what_was_written_in_clear_before_is_read_still(desk: Desk) -> None:
    order_id, _ = await placed(desk)
    async with desk.engine.begin() as connection:
        await connection.exec_driver_sql(
            """UPDATE orders SET ship_to = '{"country": "FR", "name": null, "line1": "Rue"}'"""
        )
    assert (await order_of(desk, order_id)).ship_to == Address(country="FR", line1="Rue")


async def test_an_address_that_the_buyer_gave_is_never_replaced(desk: Desk) -> None:
    given = Address(country="US", name="Grace")
    order_id, session_id = await placed(desk)
    async with desk.new_uow() as uow:
        (await uow.orders.get(order_id)).ship_to = given
        await uow.commit()
    await paid(desk, session_id)

    await collect(desk, order_id)

    assert (await order_of(desk, order_id)).ship_to == given


async def test_a_country_that_the_licence_refuses_holds_the_goods_and_not_the_money(
    desk: Desk,
) -> None:
    order_id, session_id = await placed(desk, kept_to=("CH", "LI"))
    await paid(desk, session_id, ship_to=HOME)
    before = await desk.rows("SELECT payee_id, pending_cents FROM payee_balances ORDER BY 1")

    for _ in range(2):
        await collect(desk, order_id)

    order = await order_of(desk, order_id)
    assert order.delivery_hold is DeliveryHold.TERRITORY_REFUSED
    assert (order.ship_to, order.payment_status) == (HOME, PaymentStatus.PAID)
    after = await desk.rows("SELECT payee_id, pending_cents FROM payee_balances ORDER BY 1")
    assert before == after
    assert await audited(desk) == [("order.delivery_held", str(order_id))]
    refund = await desk.ask_refund(order_id)
    assert refund.amount_cents == order.total_cents


async def test_a_country_among_those_allowed_holds_nothing(desk: Desk) -> None:
    order_id, session_id = await placed(desk, kept_to=("CH", "DE"))
    await paid(desk, session_id)
    await collect(desk, order_id)
    assert (await order_of(desk, order_id)).delivery_hold is None
    assert await audited(desk) == []


async def test_an_open_page_is_asked_again_later(desk: Desk) -> None:
    order_id, _ = await placed(desk)
    with pytest.raises(RetryLater):
        await collect(desk, order_id)


async def test_the_provider_is_asked_for_what_it_alone_knows(desk: Desk) -> None:
    """Two paid orders: the address of one was given before, and its invoice need not wait."""
    known, session = await placed(desk)
    async with desk.new_uow() as uow:
        (await uow.orders.get(known)).ship_to = HOME
        await uow.commit()
    await paid(desk, session)
    checkout = await desk.check_out(*(await desk.market()).products, key="another")
    await paid(desk, checkout.session_id)
    messages = [
        Message(
            id=order_id,
            box="outbox",
            topic=ORDER_PAID,
            payload=msgspec.json.encode(
                OrderPaid(order_id=order_id, buyer_id=None, charge_id=f"ch_{order_id}")
            ),
            attempts=1,
            created_at=desk.clock.now(),
        )
        for order_id in (known, checkout.order_id)
    ]

    for _ in range(2):
        await announce_paid(messages, new_uow=desk.new_uow, live=MemoryLive(), clock=desk.clock)

    asked = await desk.rows(
        "SELECT topic, key FROM outbox_messages WHERE topic = ANY(:topics) ORDER BY topic",
        topics=[COLLECT_ADDRESS, ISSUE_INVOICE],
    )
    assert asked == [(ISSUE_INVOICE, str(known)), (COLLECT_ADDRESS, str(checkout.order_id))]
