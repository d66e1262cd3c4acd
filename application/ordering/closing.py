"""The one way in which an order ends that nobody paid: what it held is free again."""

from uuid import UUID

from application.licensing.usage import free_usage
from application.ordering.telling import has_changed
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.order import PaymentStatus


async def close_order(order_id: UUID, status: PaymentStatus, *, uow: UnitOfWork) -> bool:
    """Free stock, uses of discounts and of licences; False when it had ended already."""
    async with uow:
        closed = await uow.orders.close_unpaid(order_id, status=status)
        if closed:
            await uow.discounts.free(order_id)
            await free_usage(order_id, uow=uow)
            has_changed(order_id, uow)
            await uow.commit()
    return closed
