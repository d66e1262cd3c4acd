"""Ask for money to be given back: the intent, which counts from the moment it is committed.

What is intended cannot be refunded again. The provider is asked by the outbox, and its word ends
the refund: see `refund_outcomes`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, stores_for
from application.ordering.refund_outcomes import SEND_REFUND, SendRefund
from application.ports.clock import Clock
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.identity.team import RankTooLow
from domain.ordering.order import Order, OrderLine
from domain.ordering.refund import (
    LineRefund,
    Refund,
    RefundInvalid,
    RefundStatus,
    refund_by_amount,
    refund_by_quantity,
)
from domain.shared.errors import NotFound
from domain.shared.money import Currency, floor_to_quantum


class RefundLineInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class RequestRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By `amount_cents`, by `lines`, or, with neither, all that is left."""

    amount_cents: Annotated[int, msgspec.Meta(ge=1, le=99_999_999_999)] | None = None
    lines: Annotated[list[RefundLineInput], msgspec.Meta(min_length=1, max_length=100)] | None = (
        None
    )
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    order_id: UUID
    status: RefundStatus
    amount_cents: int
    currency: str
    reason: str
    lines: list[LineRefund]
    failure_reason: str | None
    settlement: str | None
    created_at: datetime


async def request_refund(
    order_id: UUID,
    command: RequestRefund,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> RefundView:
    """Commit the intent. A store refunds what it sold; an admin any line.

    Raises NotFound, NotPaid, NothingToRefund, RefundTooLarge, RefundInvalid, DisputeOpen.
    """
    if command.amount_cents is not None and command.lines is not None:
        raise RefundInvalid(
            "Ask by amount or by lines.", fields={"lines": ["must not come with amount_cents"]}
        )
    async with uow:
        order = await uow.orders.get(order_id, lock=True)
        lines = await _refundable_lines(order, actor=actor, uow=uow)
        known = await uow.refunds.by_request_key(order_id, request_key)
        if known is not None:
            same_amount = command.amount_cents in (None, known.amount_cents)
            if known.requested_by != actor.user_id or not same_amount:
                raise KeyReused
            return view_of(known)
        order.require_undisputed()
        refund = _intend(
            order, _divide(command, lines), request_key=request_key, reason=command.reason,
            actor=actor, uow=uow, clock=clock, ids=ids,
        )  # fmt: skip
        await uow.commit()
    return view_of(refund)


def refund_everything(
    order: Order,
    *,
    request_key: str,
    reason: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> Refund:
    """Intend to give back all that is left of a locked order; the caller has judged who asks.

    Raises NotPaid, NothingToRefund, DisputeOpen.
    """
    order.require_undisputed()
    return _intend(
        order, _divide(RequestRefund(), order.lines), request_key=request_key, reason=reason,
        actor=actor, uow=uow, clock=clock, ids=ids,
    )  # fmt: skip


def _intend(
    order: Order,
    parts: tuple[LineRefund, ...],
    *,
    request_key: str,
    reason: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> Refund:
    amount_cents = sum(part.amount_cents for part in parts)
    _require_payable(amount_cents, order.currency)
    order.intend_refund(parts)
    refund = Refund(
        id=ids.new(),
        order_id=order.id,
        request_key=request_key,
        amount_cents=amount_cents,
        currency=order.currency,
        reason=reason,
        lines=parts,
        requested_by=actor.user_id,
        created_at=clock.now(),
    )
    uow.refunds.add(refund)
    uow.outbox.add(SEND_REFUND, SendRefund(refund_id=refund.id))
    uow.audit.record(
        "refund.requested",
        actor=actor,
        on=("refund", refund.id),
        after={
            "order_id": order.id,
            "amount_cents": refund.amount_cents,
            "currency": refund.currency,
        },
    )
    return refund


async def _refundable_lines(order: Order, *, actor: Actor, uow: UnitOfWork) -> list[OrderLine]:
    if actor.is_admin:
        return order.lines
    owned = frozenset(s.id for s in await stores_for(StoreAct.ORDERS, actor=actor, uow=uow))
    lines = order.lines_of(owned)
    if lines:
        return lines
    seen = frozenset(s.id for s in await stores_for(StoreAct.VIEW, actor=actor, uow=uow))
    if order.lines_of(seen):
        raise RankTooLow("Your role in the store does not allow refunds.")
    raise NotFound("order", order.id)


def _divide(command: RequestRefund, lines: Sequence[OrderLine]) -> tuple[LineRefund, ...]:
    refundable = [line.refundable() for line in lines]
    if command.lines is not None:
        quantities: dict[UUID, int] = {}
        for line in command.lines:
            quantities[line.line_id] = quantities.get(line.line_id, 0) + line.quantity
        return refund_by_quantity(refundable, quantities)
    everything = sum(line.refundable_cents for line in refundable)
    return refund_by_amount(refundable, command.amount_cents or everything)


def _require_payable(amount_cents: int, currency: Currency) -> None:
    """Some currencies are paid in coarser steps than they are counted in."""
    payable_cents = floor_to_quantum(amount_cents, currency)
    if payable_cents != amount_cents:
        raise RefundInvalid(
            "Nobody can pay this amount.",
            fields={"amount_cents": [f"the next payable amount below is {payable_cents}"]},
        )


def view_of(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        order_id=refund.order_id,
        status=refund.status,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        reason=refund.reason,
        lines=list(refund.lines),
        failure_reason=refund.failure_reason,
        settlement=refund.settlement,
        created_at=refund.created_at,
    )
