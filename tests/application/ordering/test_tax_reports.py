"""Who computed the tax is told of the sale and of what was given back, each once."""

from uuid import UUID

import msgspec
import pytest

from adapters.memory.live import MemoryLive
from adapters.memory.taxes import MemoryTaxes
from application.ordering.completion import ORDER_PAID, OrderPaid
from application.ordering.paid import announce_paid
from application.ordering.tax_reports import REPORT_REFUND, REPORT_SALE, report_refund, report_sale
from application.ports.errors import Unavailable
from application.ports.messages import Message, RetryLater
from application.ports.taxes import TaxableLine, TaxAddress, TaxRequest
from tests.application.ordering.conftest import Desk

SALE = TaxRequest(
    currency="usd",
    lines=[TaxableLine(reference="a", amount_cents=2500, shipping_cents=0, kind="physical")],
    ship_to=TaxAddress(country="DE"),
)


@pytest.fixture
def taxes() -> MemoryTaxes:
    return MemoryTaxes({"DE": 1900})


async def taxed_order(desk: Desk, taxes: MemoryTaxes) -> UUID:
    order_id = await desk.buy(*(await desk.market()).products)
    calculation_id = (await taxes.quote(SALE)).calculation_id
    async with desk.new_uow() as uow:
        order = await uow.orders.get(order_id)
        order.tax_calculation_id = calculation_id
        await uow.commit()
    return order_id


async def asked_for(desk: Desk, topic: str) -> int:
    return len(await desk.rows("SELECT id FROM outbox_messages WHERE topic = :topic", topic=topic))


async def test_a_paid_order_is_reported_once(desk: Desk, taxes: MemoryTaxes) -> None:
    order_id = await taxed_order(desk, taxes)
    for _ in range(2):
        await report_sale(order_id, uow=desk.new_uow(), taxes=taxes)
    async with desk.new_uow() as uow:
        assert (await uow.orders.get(order_id)).tax_report_id == taxes.sales[order_id]


async def test_a_provider_that_is_away_is_asked_again(desk: Desk, taxes: MemoryTaxes) -> None:
    order_id = await taxed_order(desk, taxes)
    taxes.failure = Unavailable("away", provider="memory")
    with pytest.raises(Unavailable):
        await report_sale(order_id, uow=desk.new_uow(), taxes=taxes)
    await report_sale(order_id, uow=desk.new_uow(), taxes=taxes)
    assert order_id in taxes.sales


async def test_payment_asks_for_the_report_where_a_provider_computed_the_tax(
    desk: Desk, taxes: MemoryTaxes
) -> None:
    taxed = await taxed_order(desk, taxes)
    plain = await desk.buy(*(await desk.market()).products, key="plain")
    paid = [
        Message(
            id=desk.ids.new(),
            topic=ORDER_PAID,
            payload=msgspec.json.encode(
                OrderPaid(order_id=order_id, buyer_id=desk.ids.new(), charge_id=f"ch_{order_id}")
            ),
            attempts=1,
            box="outbox",
            created_at=desk.clock.now(),
        )
        for order_id in (taxed, plain)
    ]
    for _ in range(2):
        await announce_paid(paid, new_uow=desk.new_uow, live=MemoryLive(), clock=desk.clock)
    assert await asked_for(desk, REPORT_SALE) == 1


async def test_a_refund_is_reported_after_its_sale(desk: Desk, taxes: MemoryTaxes) -> None:
    order_id = await taxed_order(desk, taxes)
    refund_id = await desk.refund(order_id, 1000)
    assert await asked_for(desk, REPORT_REFUND) == 1
    with pytest.raises(RetryLater):
        await report_refund(refund_id, uow=desk.new_uow(), taxes=taxes)
    await report_sale(order_id, uow=desk.new_uow(), taxes=taxes)
    for _ in range(2):
        await report_refund(refund_id, uow=desk.new_uow(), taxes=taxes)
    assert taxes.refunds == {refund_id: (taxes.sales[order_id], 1000)}
