"""Refunds that somebody made at the provider, and returned ones that were paid in another way.

A refund that is not ours is adopted as a refund of its order by amount, over all lines, once for
the provider's id; from then on it goes the way of all refunds.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from application.ordering.refunds import RefundView, view_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import ProviderRefund
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger import dispute_effects
from domain.ordering.refund import Refund, RefundStatus, refund_by_amount
from domain.shared.errors import NotAllowed

MADE_AT_PROVIDER = "made at the provider"


class SettleRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reference` finds the payment: a bank's number, a cheque's."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


async def adopt_refund(
    said: ProviderRefund, *, charge_id: str, uow: UnitOfWork, clock: Clock, ids: Ids
) -> UUID | None:
    """Our id of a refund that was not made by us; None when its charge is not ours either.

    Raises RefundTooLarge while refunds that the provider has not refused yet stand in the way.
    """
    async with uow:
        order_id = await uow.orders.by_charge(charge_id)
        if order_id is None:
            return None
        order = await uow.orders.get(order_id, lock=True)
        known = await uow.refunds.by_provider_id(said.provider_id)
        if known is not None:
            return known.id
        failed = said.status == "failed"
        lines = [line.refundable(contested=False) for line in order.lines]
        parts = () if failed else refund_by_amount(lines, said.amount_cents)
        order.count_refund(parts)
        now = clock.now()
        refund = Refund(
            id=ids.new(),
            order_id=order.id,
            request_key=f"provider:{said.provider_id}",
            amount_cents=said.amount_cents,
            currency=order.currency,
            reason=MADE_AT_PROVIDER,
            lines=parts,
            status=RefundStatus.FAILED if failed else RefundStatus.PENDING,
            provider_id=said.provider_id,
            failure_reason=said.failure_reason if failed else None,
            requested_by=None,
            created_at=now,
            ended_at=now if failed else None,
        )
        uow.refunds.add(refund)
        uow.audit.record(
            "refund.adopted",
            actor="the payment provider",
            on=("refund", refund.id),
            after={"order_id": order.id, "amount_cents": refund.amount_cents},
        )
        await uow.commit()
    return refund.id


async def settle_refund(
    refund_id: UUID, command: SettleRefund, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> RefundView:
    """Record that a buyer whose bank sent a refund back was paid in another way. Administrators.

    Raises NotFound, NotAllowed, RefundNotReturned, RefundSettled.
    """
    if not actor.is_admin:
        raise NotAllowed("Only administrators settle refunds.")
    async with uow:
        refund = await uow.refunds.get(refund_id, lock=True)
        now = clock.now()
        if refund.settle(command.reference, at=now):
            await uow.ledger.post(
                [
                    dispute_effects.refund_settled(
                        refund_id=refund.id,
                        order_id=refund.order_id,
                        currency=refund.currency,
                        amount_cents=refund.amount_cents,
                        at=now,
                    )
                ]
            )
            uow.audit.record(
                "refund.settled",
                actor=actor,
                on=("refund", refund.id),
                after={"amount_cents": refund.amount_cents, "reference": command.reference},
            )
            await uow.commit()
    return view_of(refund)
