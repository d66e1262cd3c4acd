"""Tell a buyer what an order has become: each state once, in the order in which they came.

Whatever changes an order leaves a message in its transaction. Who handles it reads the order as it
is, under its lock, and tells what differs from what was told last: so a message that comes late,
twice or together with others tells nothing that is over, and nothing twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.live import LiveEvents, OrderChanged, Told
from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.news import OrderNews

ORDER_CHANGED = "orders.changed"


class OrderTurned(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID


def has_changed(order_id: UUID, uow: UnitOfWork) -> None:
    """Have it told, once this is committed."""
    uow.outbox.add(ORDER_CHANGED, OrderTurned(order_id=order_id))


async def announce_changes(
    messages: Sequence[Message],
    *,
    new_uow: Callable[[], UnitOfWork],
    live: LiveEvents,
    clock: Clock,
) -> Mapping[UUID, Exception]:
    """Handles `orders.changed`."""
    turned = [msgspec.json.decode(message.payload, type=OrderTurned) for message in messages]
    async with new_uow() as uow:
        told = await log_news({one.order_id for one in turned}, uow=uow, at=clock.now())
        await uow.commit()
    for channel, event in told:
        await live.publish(channel, event)
    return {}


async def log_news(order_ids: Collection[UUID], *, uow: UnitOfWork, at: datetime) -> Sequence[Told]:
    """Keep what is new of these orders; the last act of a transaction. Guests have no channel."""
    news = await uow.orders.take_news(order_ids)
    return await uow.user_events.log(
        [(one.buyer_id, _event(one)) for one in news if one.buyer_id is not None], at=at
    )


def _event(news: OrderNews) -> OrderChanged:
    return OrderChanged(
        order_id=news.order_id,
        status=str(news.status),
        payment_status=str(news.payment_status),
        fulfilment_status=str(news.fulfilment_status),
        refund_status=str(news.refund_status),
        dispute_status=str(news.dispute_status),
        delivery_hold=None if news.delivery_hold is None else str(news.delivery_hold),
    )
