"""Revoke a licence, and carry out what follows, step by step.

Nothing new is made or sold from the moment it takes effect: every decision looks at it. The rest
is done by outbox messages in short transactions, each of which may run twice and goes on where
the one before ended: listings are frozen, unpaid checkouts closed, and, where the cause is safety
or law, sold copies withdrawn and digital goods refunded. Weights are erased last. Orders that are
paid are fulfilled, and royalties that were earned stay earned.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.creators.tombstones import bury
from application.licensing.standing import standing_terms
from application.ordering.completion import RECONCILE_CHECKOUT, ReconcileCheckout
from application.ordering.refund_outcomes import SEND_REFUND, SendRefund
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import RetryLater
from application.ports.unit_of_work import UnitOfWork
from domain.creators.likeness_model import DeletionReason
from domain.identity.actor import Actor
from domain.licensing.revocation import (
    AlreadyRevoked,
    LicenceRevocation,
    RevocationCause,
    RevocationStep,
    effective_from,
)
from domain.licensing.terms import ProductType
from domain.ordering.order import Order
from domain.ordering.refund import Refund, refund_by_amount

CARRY_OUT = "licensing.carry_out_revocation"
FROZEN_FOR = "revoked"
_BATCH = 100
_CHECKOUTS_END = timedelta(minutes=1)


class CarryOutRevocation(msgspec.Struct, frozen=True, kw_only=True):
    revocation_id: UUID


class Revoke(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cause: RevocationCause
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class RevocationView(msgspec.Struct, frozen=True, kw_only=True):
    """`step` is what is carried out next, `done` when nothing is left; the figures say how far."""

    id: UUID
    terms_version: int
    cause: RevocationCause
    reason: str
    declared_at: datetime
    effective_at: datetime
    step: RevocationStep
    listings_frozen: int
    checkouts_closed: int
    copies_withdrawn: int
    refunds_asked: int
    weights_erased: int
    done_at: datetime | None


async def revoke(
    creator_id: UUID,
    command: Revoke,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> RevocationView:
    """End the licence in force, as its terms allow.

    Raises NotFound, NoLicence, NotRevocable, AlreadyRevoked.
    """
    now = clock.now()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        standing = await standing_terms(uow, creator.id)
        version = standing.terms_in_force()
        if any(one.terms_version >= version.version for one in standing.revocations):
            raise AlreadyRevoked("The licence in force is revoked already.")
        revocation = LicenceRevocation(
            id=ids.new(),
            creator_id=creator.id,
            terms_id=version.id,
            terms_version=version.version,
            cause=command.cause,
            reason=command.reason,
            declared_at=now,
            declared_by=actor.user_id,
            effective_at=effective_from(version.terms, command.cause, at=now),
        )
        uow.revocations.add(revocation)
        _go_on(revocation, uow=uow)
        uow.audit.record(
            "licence.revoked",
            actor=actor,
            on=("creator", creator.id),
            after={"cause": command.cause, "terms_version": version.version},
        )
        await uow.commit()
    return view_of(revocation)


async def list_revocations(
    creator_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> list[RevocationView]:
    """Newest first, with how far each has been carried out. Raises NotFound."""
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        found = await uow.revocations.of_creators([creator.id])
    return [view_of(one) for one in found]


async def carry_out_revocation(
    revocation_id: UUID, *, uow: UnitOfWork, clock: Clock, ids: Ids
) -> None:
    """Handles `licensing.carry_out_revocation`: one batch, then a message for the next."""
    now = clock.now()
    async with uow:
        revocation = await uow.revocations.get(revocation_id, lock=True)
        match revocation.step:
            case RevocationStep.LISTINGS:
                await _freeze(revocation, uow=uow, at=now)
            case RevocationStep.CHECKOUTS:
                await _close_checkouts(revocation, uow=uow, at=now)
            case RevocationStep.COPIES:
                await _take_back(revocation, uow=uow, ids=ids, at=now)
            case RevocationStep.WEIGHTS:
                await _erase_weights(revocation, uow=uow, at=now)
            case RevocationStep.DONE:
                return
        if revocation.done_at is None:
            _go_on(revocation, uow=uow)
        await uow.commit()


def _go_on(revocation: LicenceRevocation, *, uow: UnitOfWork) -> None:
    uow.outbox.add(
        CARRY_OUT,
        CarryOutRevocation(revocation_id=revocation.id),
        due_at=revocation.effective_at,
        key=f"{revocation.id}:{revocation.step}:{revocation.cursor}",
    )


async def _freeze(revocation: LicenceRevocation, *, uow: UnitOfWork, at: datetime) -> None:
    revocation.listings_frozen += await uow.products.freeze(
        revocation.creator_id, reason=FROZEN_FOR, up_to_version=revocation.terms_version
    )
    revocation.next_step(at=at)


async def _close_checkouts(revocation: LicenceRevocation, *, uow: UnitOfWork, at: datetime) -> None:
    """Their time is up: the provider closes the page first, or tells that it has been paid."""
    called_in = await uow.sold.call_in(
        revocation.creator_id, up_to_version=revocation.terms_version, at=at
    )
    for order_id in called_in:
        uow.outbox.add(RECONCILE_CHECKOUT, ReconcileCheckout(order_id=order_id))
    revocation.checkouts_closed += len(called_in)
    revocation.next_step(at=at)


async def _take_back(
    revocation: LicenceRevocation, *, uow: UnitOfWork, ids: Ids, at: datetime
) -> None:
    """Not before every checkout has ended: one may have been paid as it was closed."""
    if await uow.sold.call_in(revocation.creator_id, up_to_version=revocation.terms_version, at=at):
        raise RetryLater("Checkouts are still being closed.", delay=_CHECKOUTS_END)
    order_ids = await uow.sold.paid(
        revocation.creator_id,
        up_to_version=revocation.terms_version,
        after=revocation.cursor,
        limit=_BATCH,
    )
    for order_id in order_ids:
        order = await uow.orders.get(order_id, lock=True)
        lines = [
            line
            for line in order.lines
            if line.creator_id == revocation.creator_id
            and line.terms_version <= revocation.terms_version
        ]
        revocation.copies_withdrawn += await uow.assets.withdraw_clean(
            order.id, {line.asset_id for line in lines}
        )
        digital = [line.id for line in lines if line.product_type is ProductType.DIGITAL]
        revocation.refunds_asked += await _refund(
            revocation, order, digital, uow=uow, ids=ids, at=at
        )
    if len(order_ids) < _BATCH:
        revocation.next_step(at=at)
    else:
        revocation.cursor = order_ids[-1]


async def _refund(
    revocation: LicenceRevocation,
    order: Order,
    line_ids: list[UUID],
    *,
    uow: UnitOfWork,
    ids: Ids,
    at: datetime,
) -> int:
    """The intent to give back all that is left of these lines; once for order and revocation."""
    request_key = f"revocation:{revocation.id}"
    lines = [
        line.refundable()
        for line in order.lines
        if line.id in line_ids and line.refundable().refundable_cents > 0
    ]
    if not lines or await uow.refunds.by_request_key(order.id, request_key) is not None:
        return 0
    amount_cents = sum(line.refundable_cents for line in lines)
    parts = refund_by_amount(lines, amount_cents)
    order.intend_refund(parts)
    refund = Refund(
        id=ids.new(),
        order_id=order.id,
        request_key=request_key,
        amount_cents=amount_cents,
        currency=order.currency,
        reason="The licence was revoked.",
        lines=parts,
        requested_by=revocation.declared_by,
        created_at=at,
    )
    uow.refunds.add(refund)
    uow.outbox.add(SEND_REFUND, SendRefund(refund_id=refund.id))
    uow.audit.record(
        "refund.requested",
        actor="a revocation",
        on=("refund", refund.id),
        after={
            "order_id": order.id,
            "amount_cents": amount_cents,
            "currency": order.currency,
            "revocation_id": revocation.id,
        },
    )
    return 1


async def _erase_weights(revocation: LicenceRevocation, *, uow: UnitOfWork, at: datetime) -> None:
    """Tombstones; the bytes follow. Providers keep no weights of ours: each run is sent them."""
    for model in await uow.models.of_creator(revocation.creator_id, lock=True):
        if model.terms_version <= revocation.terms_version:
            revocation.weights_erased += bury(
                model,
                uow=uow,
                actor="a revocation",
                by=revocation.declared_by,
                reason=DeletionReason.LICENCE_REVOKED,
                at=at,
            )
    revocation.next_step(at=at)


def view_of(revocation: LicenceRevocation) -> RevocationView:
    return RevocationView(
        **{name: getattr(revocation, name) for name in RevocationView.__struct_fields__}
    )
