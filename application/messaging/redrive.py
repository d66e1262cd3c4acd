"""Put parked messages back to work, by a person who has removed what stopped them.

Their attempts are forgotten; handlers are idempotent, so that redriving twice does no harm. Every
redrive is written to the audit log.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.messages import Box, MessageQueue, Wake
from domain.shared.errors import Invalid

_audit = logging.getLogger("likeness.audit")


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
    command: Redrive, *, by: str, messages: MessageQueue, clock: Clock, wake: Wake | None = None
) -> Redriven:
    """`by` names the person or key in the audit log. Raises Invalid when it is unclear which."""
    if bool(command.ids) == command.all_parked:
        raise Invalid("Name the messages to redrive, or all that are parked.")
    ids = await messages.redrive(
        command.box,
        ids=None if command.all_parked else command.ids,
        topic=command.topic,
        now=clock.now(),
    )
    _audit.info(
        "%s redrove %d parked messages of the %s: %s",
        by,
        len(ids),
        command.box,
        " ".join(str(message_id) for message_id in ids[:100]),
    )
    if ids and wake is not None:
        wake.wake()
    return Redriven(sorted(ids))
