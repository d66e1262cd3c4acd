"""What is told of an order: the state of its axes, and one word for all of them."""

from typing import NamedTuple
from uuid import UUID

from domain.ordering.order import (
    DeliveryHold,
    DisputeState,
    FulfilmentState,
    Order,
    OrderStatus,
    PaymentStatus,
    RefundState,
    refund_state_of,
    status_of,
)


class OrderNews(NamedTuple):
    order_id: UUID
    buyer_id: UUID | None
    status: OrderStatus
    payment_status: PaymentStatus
    fulfilment_status: FulfilmentState
    refund_status: RefundState
    dispute_status: DisputeState
    delivery_hold: DeliveryHold | None

    @property
    def told(self) -> str:
        """All of it, to be compared with what was told before."""
        return " ".join(str(one or "-") for one in self[2:])


def news_of(
    order_id: UUID,
    buyer_id: UUID | None,
    *,
    payment: PaymentStatus,
    fulfilment: FulfilmentState,
    dispute: DisputeState,
    hold: DeliveryHold | None,
    cancelled: bool,
    total_cents: int,
    returned_cents: int,
) -> OrderNews:
    return OrderNews(
        order_id,
        buyer_id,
        status_of(payment, fulfilment, cancelled=cancelled),
        payment,
        fulfilment,
        refund_state_of(total_cents=total_cents, returned_cents=returned_cents),
        dispute,
        hold,
    )


def news_of_order(order: Order) -> OrderNews:
    return news_of(
        order.id,
        order.buyer_id,
        payment=order.payment_status,
        fulfilment=order.fulfilment_status,
        dispute=order.dispute_status,
        hold=order.delivery_hold,
        cancelled=order.cancelled_at is not None,
        total_cents=order.total_cents,
        returned_cents=sum(line.returned_cents for line in order.lines),
    )
