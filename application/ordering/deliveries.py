"""Where the goods of an order go, and who may know.

A buyer says it before paying, or to the payment page. What the page collected is copied once, after
the payment, by asking the provider; what the buyer had said before is never replaced. The page
offers only countries that the licences of all lines allow. Should it come back with another all
the same, the money stays where it is and the goods do too: the order is held (`DeliveryHold`).
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, stores_for
from application.ordering.invoices import ISSUE_INVOICE, IssueInvoice
from application.ordering.telling import has_changed
from application.ports.messages import RetryLater
from application.ports.payments import Payments
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import Delivery, OrderRecord, OrderViews
from domain.catalogue.shipping import class_of
from domain.identity.actor import Actor

COLLECT_ADDRESS = "orders.collect_address"
ASK_AGAIN = timedelta(seconds=30)


class CollectAddress(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID


async def collect_address(order_id: UUID, *, uow: UnitOfWork, payments: Payments) -> None:
    """Handles `orders.collect_address`: copy the address, then have the order invoiced, which
    names it. Twice is once. Raises RetryLater while the page is open, provider errors."""
    async with uow:
        order = await uow.orders.get(order_id)
    collected = None
    if order.awaits_address and order.session_id is not None:
        state = await payments.checkout_state(order.session_id)
        if state.status == "open":
            raise RetryLater("the payment page is still open", delay=ASK_AGAIN)
        collected = state.ship_to
    async with uow:
        order = await uow.orders.get(order_id, lock=True)
        if collected is not None and order.deliver_to(collected) and order.delivery_hold:
            uow.audit.record(
                "order.delivery_held",
                actor="the payment provider",
                on=("order", order.id),
                after={"hold": order.delivery_hold, "country": collected.country},
            )
            has_changed(order_id, uow)
        uow.outbox.add(ISSUE_INVOICE, IssueInvoice(order_id=order_id), key=str(order_id))
        await uow.commit()


async def delivery_for(
    order: OrderRecord, *, actor: Actor, views: OrderViews, uow: UnitOfWork
) -> Delivery | None:
    """For the buyer, and for people of a store who see to orders, where their store ships some of
    it. Nobody else, administrators included, is told where somebody lives."""
    shippers = {line.store_id for line in order.lines if class_of(line.product_type) is not None}
    if not shippers:
        return None
    if actor.user_id != (order.buyer_id or order.id):
        async with uow:
            acted_for = await stores_for(StoreAct.ORDERS, actor=actor, uow=uow)
        if shippers.isdisjoint(store.id for store in acted_for):
            return None
    return await views.delivery(order.id)
