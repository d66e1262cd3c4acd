"""The audit log: who did what to what, kept beside the act itself and never changed again.

Every privileged or money-relevant act writes an entry in its own transaction:

    uow.audit.record(
        "refund.requested", actor=actor, on=("refund", refund.id), after={"amount_cents": 500}
    )

Whether the act happened and whether it is in the log is then one question.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.identity.actor import Actor

Facts = Mapping[str, object]
"""What the object was, or is now: whatever msgspec can encode."""


class AuditLog(Protocol):
    """Part of a unit of work: what is recorded is committed with the act, or not at all."""

    def record(
        self,
        act: str,
        *,
        actor: Actor | str,
        on: tuple[str, UUID | str],
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        """`act` is `object.verb`, in the past; `on` the kind and the id of what it was done to.

        `actor` is a user, or the name of who acts without an account: "the command line".
        Personal data and secrets in `before` and `after` are redacted; the client's address and
        the request's id come from `application.messaging.correlation`.
        """
        ...


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`actor_id` is the user's; `actor_name` names who acted without an account."""

    id: UUID
    act: str
    actor_id: UUID | None
    actor_name: str | None
    object_kind: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    request_id: str | None
    occurred_at: datetime


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever is given must hold; `since` is inclusive, `until` exclusive."""

    act: str | None = None
    actor_id: UUID | None = None
    object_kind: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


AuditPosition = tuple[datetime, UUID]
"""Where an entry stands in the log: its time, then its id."""


class AuditViews(Protocol):
    async def page(
        self, wanted: AuditFilter, *, before: AuditPosition | None, limit: int
    ) -> list[AuditEntry]:
        """The newest first; `before` is the position of the last entry of the page before."""
        ...
