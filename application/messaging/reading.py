"""What administrators read of messages and of the audit log."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from application.messaging.redaction import redacted
from application.ports.audit import AuditEntry, AuditFilter, AuditPosition, AuditViews
from application.ports.clock import Clock
from application.ports.messages import Box, MessageRow, MessageViews, State
from domain.identity.actor import Actor, Role


class MessageDetail(msgspec.Struct, frozen=True, kw_only=True):
    """`payload` is without personal data; null where it is not JSON."""

    id: UUID
    topic: str
    state: State
    attempts: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_error: str | None
    kind: str | None
    external_id: str | None
    key: str | None
    request_id: str | None
    payload: dict[str, Any] | list[Any] | None
    payload_bytes: int


async def list_messages(
    box: Box,
    *,
    state: State | None,
    topic: str | None,
    older_than: timedelta | None,
    before: UUID | None,
    limit: int,
    actor: Actor,
    views: MessageViews,
    clock: Clock,
) -> list[MessageRow]:
    """The newest first. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    created_before = None if older_than is None else clock.now() - older_than
    return await views.page(
        box, state=state, topic=topic, created_before=created_before, before=before, limit=limit
    )


async def show_message(
    box: Box, message_id: UUID, *, actor: Actor, views: MessageViews
) -> MessageDetail:
    """Raises RoleRequired, NotFound."""
    actor.require(Role.ADMIN)
    stored = await views.message(box, message_id)
    facts = msgspec.structs.asdict(stored.row)
    del facts["box"]
    return MessageDetail(
        **facts, payload=_readable(stored.payload), payload_bytes=len(stored.payload)
    )


def _readable(payload: bytes) -> dict[str, Any] | list[Any] | None:
    try:
        decoded = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return None
    return redacted(decoded) if isinstance(decoded, dict | list) else None


async def read_audit_log(
    wanted: AuditFilter,
    *,
    before: AuditPosition | None,
    limit: int,
    actor: Actor,
    views: AuditViews,
) -> list[AuditEntry]:
    """The newest first. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    return await views.page(wanted, before=before, limit=limit)


def midnight(day: date | None) -> datetime | None:
    """The first moment of a day, in UTC."""
    return None if day is None else datetime.combine(day, time(), UTC)
