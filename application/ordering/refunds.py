"""Give money back: intent first, then the provider, then the books.

The intent counts against what may be refunded the moment it is committed. The provider is asked
with no transaction open, under the key `refund:{id}`. Its word, by answer, webhook or sweep, ends
in `record_refund`, which posts once and asks payees for what was transferred already.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.transfers import SEND_REVERSAL, SendReversal
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.payments import Payments, ProviderRefund, RefundRequest
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger import effects
from domain.ledger.earning import Earning, EarningState, Reversal, Transfer
from domain.ledger.effects import Part
from domain.ledger.posting import Account, Transaction
from domain.ordering.order import Order, OrderLine
from domain.ordering.refund import (
    LineRefund,
    Refund,
    RefundInvalid,
    RefundStatus,
    leg_reversals,
    refund_by_amount,
    refund_by_quantity,
)
from domain.ordering.settlement import part_of_leg
from domain.shared.errors import NotFound

SEND_REFUND = "payments.send_refund"


class SendRefund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID


class RefundLineInput(msgspec.Struct, frozen=True, kw_only=True):
    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class RequestRefund(msgspec.Struct, frozen=True, kw_only=True):
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

    Raises NotFound, NotPaid, NothingToRefund, RefundTooLarge, RefundInvalid.
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
        parts = _divide(command, lines)
        order.intend_refund(parts)
        refund = Refund(
            id=ids.new(),
            order_id=order.id,
            request_key=request_key,
            amount_cents=sum(part.amount_cents for part in parts),
            currency=order.currency,
            reason=command.reason,
            lines=parts,
            requested_by=actor.user_id,
            created_at=clock.now(),
        )
        uow.refunds.add(refund)
        uow.outbox.add(SEND_REFUND, SendRefund(refund_id=refund.id))
        await uow.commit()
    return view_of(refund)


async def send_refund(
    refund_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock, ids: Ids
) -> None:
    """Ask the provider for a refund, or find the one it made when its answer was lost.

    Raises Unavailable and OutcomeUnknown, after which it is called again.
    """
    async with uow:
        refund = await uow.refunds.get(refund_id)
        order = await uow.orders.get(refund.order_id)
    if refund.status is not RefundStatus.PENDING or order.charge_id is None:
        return
    try:
        answer = await payments.find_refund(refund_id=refund.id, charge_id=order.charge_id)
        if answer is None:
            answer = await payments.refund(
                RefundRequest(
                    refund_id=refund.id,
                    order_id=order.id,
                    charge_id=order.charge_id,
                    amount_cents=refund.amount_cents,
                    currency=refund.currency,
                    attempt=refund.attempt,
                )
            )
    except Rejected as error:
        await _fail(refund.id, reason=error.reason, uow=uow, clock=clock)
        return
    await record_refund(refund.id, answer, uow=uow, clock=clock, ids=ids)


async def record_refund(
    refund_id: UUID, answer: ProviderRefund, *, uow: UnitOfWork, clock: Clock, ids: Ids
) -> None:
    """Note what the provider says of a refund; what succeeded is posted, once.

    A refund that fails after it had succeeded was sent back by the buyer's bank: what is held for
    the buyer from then on is posted as well. Raises NotFound.
    """
    if answer.status == "failed":
        await _fail(refund_id, reason=answer.failure_reason or "failed", uow=uow, clock=clock)
        return
    async with uow:
        order_id = (await uow.refunds.get(refund_id)).order_id
        order = await uow.orders.get(order_id, lock=True)
        refund = await uow.refunds.get(refund_id, lock=True)
        if refund.status is not RefundStatus.PENDING:
            return
        refund.provider_id = answer.provider_id
        if answer.status == "succeeded":
            await _post(refund, order, uow=uow, at=clock.now(), ids=ids)
        await uow.commit()


async def _post(refund: Refund, order: Order, *, uow: UnitOfWork, at: datetime, ids: Ids) -> None:
    """Take each party's share back: from the hold, from what is available, or by a reversal."""
    refund.status = RefundStatus.SUCCEEDED
    refund.ended_at = at
    shares = effects.merge(_shares(refund, order))
    earnings = {e.payee_id: e for e in await uow.earnings.of_order(order.id)}
    transfers = {t.payee_id: t for t in await uow.transfers.of_order(order.id)}
    parts = []
    for share in shares:
        if share.payee_id is None:
            parts.append(share)
            continue
        earning = earnings[share.payee_id]
        account = _take(earning, share.amount_cents)
        parts.append(Part(account, share.payee_id, share.amount_cents))
        transfer = transfers.get(share.payee_id)
        if transfer is not None:
            _ask_back(transfer, refund, share.amount_cents, uow=uow, at=at, ids=ids)
    await uow.ledger.post(
        [
            effects.refund(
                refund_id=refund.id,
                order_id=order.id,
                currency=order.currency,
                parts=parts,
                at=at,
            )
        ]
    )


def _take(earning: Earning, amount_cents: int) -> Account:
    """Lower an earning; answers the account that gives: the hold, or what was released."""
    earning.give_back(amount_cents)
    if earning.state is EarningState.PENDING:
        return Account.PAYABLE_PENDING
    return Account.PAYABLE_AVAILABLE


def _ask_back(
    transfer: Transfer,
    refund: Refund,
    amount_cents: int,
    *,
    uow: UnitOfWork,
    at: datetime,
    ids: Ids,
) -> None:
    claimed = transfer.plan_reversal(amount_cents)
    if claimed == 0:
        return
    reversal = Reversal(
        id=ids.new(),
        transfer_id=transfer.id,
        refund_id=refund.id,
        order_id=transfer.order_id,
        payee_id=transfer.payee_id,
        currency=transfer.currency,
        amount_cents=claimed,
        created_at=at,
    )
    uow.reversals.add(reversal)
    uow.outbox.add(SEND_REVERSAL, SendReversal(reversal_id=reversal.id))


def _shares(refund: Refund, order: Order) -> list[Part]:
    """What each leg of each refunded line gives back, by the cumulative rule."""
    by_id = {line.id: line for line in order.lines}
    shares: list[Part] = []
    for part in refund.lines:
        line = by_id[part.line_id]
        before = line.returned_cents
        line.returned_cents += part.amount_cents
        returned = leg_reversals(
            [leg.amount_cents for leg in line.legs],
            refunded_before_cents=before,
            refunded_after_cents=line.returned_cents,
        )
        shares.extend(
            part_of_leg(leg.kind, leg.payee_id, cents)
            for leg, cents in zip(line.legs, returned, strict=True)
            if cents
        )
    return shares


async def _fail(refund_id: UUID, *, reason: str, uow: UnitOfWork, clock: Clock) -> None:
    async with uow:
        order_id = (await uow.refunds.get(refund_id)).order_id
        order = await uow.orders.get(order_id, lock=True)
        refund = await uow.refunds.get(refund_id, lock=True)
        now = clock.now()
        match refund.status:
            case RefundStatus.PENDING:
                refund.status = RefundStatus.FAILED
                order.abandon_refund(refund.lines)
            case RefundStatus.SUCCEEDED:
                refund.status = RefundStatus.RETURNED
                await uow.ledger.post([_returned(refund, at=now)])
            case RefundStatus.FAILED | RefundStatus.RETURNED:
                return
        refund.failure_reason = reason
        refund.ended_at = now
        await uow.commit()


def _returned(refund: Refund, *, at: datetime) -> Transaction:
    return effects.refund_returned(
        refund_id=refund.id,
        order_id=refund.order_id,
        currency=refund.currency,
        amount_cents=refund.amount_cents,
        at=at,
    )


async def _refundable_lines(order: Order, *, actor: Actor, uow: UnitOfWork) -> list[OrderLine]:
    if actor.is_admin:
        return order.lines
    owned = frozenset(store.id for store in await uow.stores.owned_by(actor.user_id))
    lines = order.lines_of(owned)
    if not lines:
        raise NotFound("order", order.id)
    return lines


def _divide(command: RequestRefund, lines: Sequence[OrderLine]) -> tuple[LineRefund, ...]:
    refundable = [line.refundable() for line in lines]
    if command.lines is not None:
        quantities: dict[UUID, int] = {}
        for line in command.lines:
            quantities[line.line_id] = quantities.get(line.line_id, 0) + line.quantity
        return refund_by_quantity(refundable, quantities)
    everything = sum(line.refundable_cents for line in refundable)
    return refund_by_amount(refundable, command.amount_cents or everything)


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
        created_at=refund.created_at,
    )
