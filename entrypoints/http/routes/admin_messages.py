"""For administrators: messages that came in and went out, what stopped them, and the audit log."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation

from application.messaging import reading, redrive
from application.messaging.reading import MessageDetail
from application.messaging.redrive import NotParked, Redrive, Redriven
from application.ports.audit import AuditEntry, AuditFilter, AuditPosition, AuditViews
from application.ports.messages import Box, MessageRow, MessageViews, State, Wake
from domain.identity.actor import RoleRequired
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheUnitOfWork

TheMessageViews = NamedDependency[SkipValidation[MessageViews]]
TheAuditViews = NamedDependency[SkipValidation[AuditViews]]
TheWake = NamedDependency[SkipValidation[Wake]]

InState = Annotated[
    State | None, QueryParameter(name="state", description="Only those in this state.")
]
OfTopic = Annotated[
    str | None,
    QueryParameter(max_length=100, description="Only these; of webhooks, the source: stripe."),
]
Day = Annotated[date | None, QueryParameter(description="A day in UTC: 2026-11-21.")]
OlderThan = Annotated[
    int | None,
    QueryParameter(ge=0, le=315_360_000, description="Only those that came longer ago, in s."),
]


class RedriveParked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that are parked; with `topic` only those of it."""

    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


def _box(box: Box, name: str) -> list[Any]:
    """The same four routes for either box."""

    async def list_messages(
        actor: CurrentActor,
        message_views: TheMessageViews,
        clock: TheClock,
        in_state: InState = None,
        topic: OfTopic = None,
        older_than_s: OlderThan = None,
        limit: PageLimit = 50,
        cursor: PageCursor = None,
    ) -> Page[MessageRow]:
        found = await reading.list_messages(
            box,
            state=in_state,
            topic=topic,
            older_than=None if older_than_s is None else timedelta(seconds=older_than_s),
            before=read_cursor(cursor, UUID),
            limit=limit + 1,
            actor=actor,
            views=message_views,
            clock=clock,
        )
        return page_of(found, limit=limit, key=lambda row: row.id)

    async def read_message(
        message_id: FromPath[UUID], actor: CurrentActor, message_views: TheMessageViews
    ) -> Data[MessageDetail]:
        return Data(await reading.show_message(box, message_id, actor=actor, views=message_views))

    async def redrive_message(
        message_id: FromPath[UUID],
        actor: CurrentActor,
        uow: TheUnitOfWork,
        message_views: TheMessageViews,
        clock: TheClock,
        wake: TheWake,
    ) -> Data[Redriven]:
        return Data(
            await redrive.redrive_one(
                box, message_id, actor=actor, uow=uow, views=message_views, clock=clock, wake=wake
            )
        )

    async def redrive_parked(
        data: JSONBody[RedriveParked],
        actor: CurrentActor,
        uow: TheUnitOfWork,
        clock: TheClock,
        wake: TheWake,
    ) -> Data[Redriven]:
        command = Redrive(box=box, all_parked=True, topic=data.topic)
        return Data(await redrive.redrive(command, actor=actor, uow=uow, clock=clock, wake=wake))

    def told(handler: Callable[..., Any], verb: str, words: str) -> Callable[..., Any]:
        """Names and descriptions that tell the boxes apart in the document."""
        handler.__name__ = handler.__qualname__ = f"{verb}_{name}"
        handler.__doc__ = words
        return handler

    return [
        get("/", responses=errors(RoleRequired))(
            told(list_messages, "list", "The newest first, without their payloads.")
        ),
        get("/{message_id:uuid}", responses=errors(RoleRequired, NotFound))(
            told(read_message, "read", "One message: its payload without personal data.")
        ),
        post(
            "/{message_id:uuid}/redrive",
            status_code=200,
            responses=errors(RoleRequired, NotFound, NotParked),
        )(told(redrive_message, "redrive", "Put a parked message back to work.")),
        post("/redrive", status_code=200, responses=errors(RoleRequired))(
            told(redrive_parked, "redrive_all", "Put all parked messages back to work.")
        ),
    ]


@get("/", responses=errors(RoleRequired))
async def list_audit_entries(
    actor: CurrentActor,
    audit_views: TheAuditViews,
    act: Annotated[
        str | None, QueryParameter(max_length=100, description="As in `refund.requested`.")
    ] = None,
    actor_id: FromQuery[UUID | None] = None,
    object_kind: Annotated[
        str | None, QueryParameter(max_length=100, description="As in `refund`.")
    ] = None,
    object_id: Annotated[str | None, QueryParameter(max_length=200)] = None,
    since: Day = None,
    until: Day = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[AuditEntry]:
    """Who did what to what, the newest first. The day `since` is included, `until` is not."""
    wanted = AuditFilter(
        act=act,
        actor_id=actor_id,
        object_kind=object_kind,
        object_id=object_id,
        since=reading.midnight(since),
        until=reading.midnight(until),
    )
    found = await reading.read_audit_log(
        wanted,
        before=read_cursor(cursor, AuditPosition),
        limit=limit + 1,
        actor=actor,
        views=audit_views,
    )
    return page_of(found, limit=limit, key=lambda entry: (entry.occurred_at, entry.id))


WEBHOOKS_ROUTER = Router(
    "/api/v1/admin/webhooks",
    route_handlers=_box("inbox", "webhooks"),
    tags=["Administration"],
)
OUTBOX_ROUTER = Router(
    "/api/v1/admin/outbox",
    route_handlers=_box("outbox", "outbox_messages"),
    tags=["Administration"],
)
AUDIT_ROUTER = Router(
    "/api/v1/admin/audit", route_handlers=[list_audit_entries], tags=["Administration"]
)
