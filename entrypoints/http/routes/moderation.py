"""Reports by anybody, one's own cases and appeals, and the moderators' desk."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from application.moderation import appeals, desk, reports
from application.moderation.appeals import Appeal, OwnCase
from application.moderation.desk import CaseView, DecideCase
from application.moderation.reports import FileReport, ReportReceipt
from application.ports.moderation import CaseRow, ModerationViews
from domain.identity.actor import RoleRequired
from domain.moderation.case import (
    AlreadyAppealed,
    AlreadyReported,
    CaseDecided,
    CaseState,
    NotAppealable,
    SubjectKind,
)
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor, Visitor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.exchange import exchange_of
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheIds, TheStorage, TheUnitOfWork
from entrypoints.http.rate_limiting import limited

TheModerationViews = NamedDependency[SkipValidation[ModerationViews]]
InState = Annotated[
    CaseState | None,
    QueryParameter(name="state", description="Only those in this state; without it what waits."),
]
OfKind = Annotated[
    SubjectKind | None, QueryParameter(name="kind", description="Only cases about this kind.")
]


@post("/", opt=limited("reports"), responses=errors(NotFound, AlreadyReported))
async def file_report(
    request: Request[Any, Any, Any],
    data: JSONBody[FileReport],
    visitor: Visitor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[ReportReceipt]:
    """Report what everybody can see: a product, a creator's page, something published."""
    address = exchange_of(request.scope).client_address
    return Data(
        await reports.file_report(
            data, actor=visitor, address=address, uow=uow, clock=clock, ids=ids
        )
    )


@get("/cases")
async def list_own_cases(
    actor: CurrentActor,
    moderation_views: TheModerationViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[OwnCase]:
    """What was blocked, doubted or reported of the caller's, newest first."""
    found = await appeals.list_own_cases(
        actor=actor, before=read_cursor(cursor, UUID), limit=limit + 1, views=moderation_views
    )
    return page_of(found, limit=limit, key=lambda case: case.id)


@post(
    "/cases/{case_id:uuid}/appeal",
    status_code=200,
    responses=errors(NotFound, AlreadyAppealed, NotAppealable),
)
async def appeal_case(
    case_id: FromPath[UUID],
    data: JSONBody[Appeal],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[OwnCase]:
    """Ask a person to look at what was blocked. Once: what they decide is the last word."""
    return Data(await appeals.appeal_case(case_id, data, actor=actor, uow=uow, clock=clock))


@get("/", responses=errors(RoleRequired))
async def list_queue(
    actor: CurrentActor,
    moderation_views: TheModerationViews,
    in_state: InState = None,
    of_kind: OfKind = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[CaseRow]:
    """What waits for a moderator, newest first."""
    found = await desk.list_queue(
        state=in_state,
        kind=of_kind,
        actor=actor,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
        views=moderation_views,
    )
    return page_of(found, limit=limit, key=lambda case: case.id)


@get("/{case_id:uuid}", responses=errors(RoleRequired, NotFound))
async def read_case(
    case_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
) -> Data[CaseView]:
    """A case, with links to what it is about, where that is a picture or a film."""
    return Data(await desk.read_case(case_id, actor=actor, uow=uow, storage=storage))


@post(
    "/{case_id:uuid}/decide",
    status_code=200,
    responses=errors(RoleRequired, NotFound, CaseDecided),
)
async def decide_case(
    case_id: FromPath[UUID],
    data: JSONBody[DecideCase],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[CaseRow]:
    """Approve or block, and carry it out. Of two moderators the first decides."""
    return Data(await desk.decide_case(case_id, data, actor=actor, uow=uow, clock=clock, ids=ids))


REPORTS_ROUTER = Router("/api/v1/reports", route_handlers=[file_report], tags=["Moderation"])
ROUTER = Router(
    "/api/v1/moderation", route_handlers=[list_own_cases, appeal_case], tags=["Moderation"]
)
ADMIN_ROUTER = Router(
    "/api/v1/admin/moderation",
    route_handlers=[list_queue, read_case, decide_case],
    tags=["Administration"],
)
