"""Put parked messages back to work, by a person who has removed what stopped them.

Their attempts are forgotten; handlers are idempotent, so that redriving twice does no harm. Every
redrive is in the audit log.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.messages import Box, MessageViews, Wake
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.shared.errors import Conflict, Invalid

_NAMED_IN_AUDIT = 100


class NotParked(Conflict):
    """Only a message that waits for a person is put back to work."""

    code = "message_not_parked"


class Redrive(msgspec.Struct, frozen=True, kw_only=True):
    """Either some `ids`, or `all_parked` (of one `topic`, if given)."""

    box: Box
    ids: Sequence[UUID] = ()
    all_parked: bool = False
    topic: str | None = None


class Redriven(msgspec.Struct, frozen=True):
    """The messages that were parked and are pending now; others named were not parked."""

    ids: list[UUID]


async def redrive(
    command: Redrive,
    *,
    actor: Actor | str,
    uow: UnitOfWork,
    clock: Clock,
    wake: Wake | None = None,
) -> Redriven:
    """`actor` may be a name: who holds the machine's settings needs no account.

    Raises RoleRequired, and Invalid when it is unclear which.
    """
    if isinstance(actor, Actor):
        actor.require(Role.ADMIN)
    if bool(command.ids) == command.all_parked:
        raise Invalid("Name the messages to redrive, or all that are parked.")
    async with uow:
        ids = await uow.parked.redrive(
            command.box,
            ids=None if command.all_parked else command.ids,
            topic=command.topic,
            now=clock.now(),
        )
        if ids:
            only = ids[0] if len(ids) == 1 else None
            uow.audit.record(
                "message.redriven",
                actor=actor,
                on=(command.box, only or command.topic or "many"),
                after={"count": len(ids), "ids": sorted(ids)[:_NAMED_IN_AUDIT]},
            )
        await uow.commit()
    if ids and wake is not None:
        wake.wake()
    return Redriven(sorted(ids))


async def redrive_one(
    box: Box,
    message_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: MessageViews,
    clock: Clock,
    wake: Wake,
) -> Redriven:
    """Raises RoleRequired, NotFound, NotParked."""
    actor.require(Role.ADMIN)
    await views.message(box, message_id)
    command = Redrive(box=box, ids=[message_id])
    redriven = await redrive(command, actor=actor, uow=uow, clock=clock, wake=wake)
    if not redriven.ids:
        raise NotParked("The message is not parked.")
    return redriven
