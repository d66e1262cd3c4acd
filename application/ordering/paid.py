"""What follows when orders have been paid: screens and tax are told; fee, address, number asked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from application.ledger.fees import RECORD_FEE, RecordFee
from application.ordering.completion import OrderPaid
from application.ordering.deliveries import COLLECT_ADDRESS, CollectAddress
from application.ordering.invoices import ISSUE_INVOICE, IssueInvoice
from application.ordering.tax_reports import REPORT_SALE, ReportSale
from application.ordering.telling import log_news
from application.ports.clock import Clock
from application.ports.live import LiveEvents
from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork

FEE_IS_KNOWN_AFTER = timedelta(minutes=1)
"""The provider usually tells its fee by itself before that; asking is for when it does not."""


async def announce_paid(
    messages: Sequence[Message],
    *,
    new_uow: Callable[[], UnitOfWork],
    live: LiveEvents,
    clock: Clock,
) -> Mapping[UUID, Exception]:
    """Handles `orders.paid`. Announcing twice is harmless; a fee is asked for once."""
    paid = [msgspec.json.decode(message.payload, type=OrderPaid) for message in messages]
    async with new_uow() as uow:
        unaddressed = set(await uow.orders.awaiting_address({order.order_id for order in paid}))
        for order in paid:
            uow.outbox.add(
                RECORD_FEE,
                RecordFee(charge_id=order.charge_id),
                due_at=clock.now() + FEE_IS_KNOWN_AFTER,
                key=order.charge_id,
            )
            if order.order_id in unaddressed:  # its invoice names the address, and follows it
                address_of = CollectAddress(order_id=order.order_id)
                uow.outbox.add(COLLECT_ADDRESS, address_of, key=str(order.order_id))
            else:
                invoice_of = IssueInvoice(order_id=order.order_id)
                uow.outbox.add(ISSUE_INVOICE, invoice_of, key=str(order.order_id))
        for order_id in await uow.orders.taxed_by_provider({order.order_id for order in paid}):
            uow.outbox.add(REPORT_SALE, ReportSale(order_id=order_id), key=str(order_id))
        told = await log_news({order.order_id for order in paid}, uow=uow, at=clock.now())
        await uow.commit()
    for channel, event in told:
        await live.publish(channel, event)
    return {}
