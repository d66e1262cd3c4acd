"""Exports for accounting, for administrators: asked for, made by a worker, fetched by links."""

from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody

from application.reporting import export_jobs
from application.reporting.export_jobs import ExportDetails, ExportView
from application.reporting.exports import ExportQuery
from application.reporting.spans import PeriodInvalid
from domain.identity.actor import RoleRequired
from domain.reporting.export import ExportNotFailed
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheIds, TheStorage, TheUnitOfWork


@post("/", status_code=202, opt=idempotent(), responses=errors(RoleRequired, PeriodInvalid))
async def request_export(
    data: JSONBody[ExportQuery],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[ExportView]:
    """Have the books of some days, or the tax forms of a year, made into files of at most 100,000
    rows. The answer comes at once; ask for the files by its id."""
    return Data(await export_jobs.request_export(data, actor=actor, uow=uow, clock=clock, ids=ids))


@get("/", responses=errors(RoleRequired))
async def list_exports(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ExportView]:
    """What was asked for and is not removed yet, the latest first."""
    found = await export_jobs.list_exports(
        before=read_cursor(cursor, UUID), limit=limit + 1, actor=actor, uow=uow
    )
    return page_of(found, limit=limit, key=lambda export: export.id)


@get("/{export_id:uuid}", responses=errors(RoleRequired, NotFound))
async def read_export(
    export_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, storage: TheStorage
) -> Data[ExportDetails]:
    """How far an export is; once it is ready, a link to each of its files, good for five minutes.
    That links were given is in the audit log."""
    return Data(await export_jobs.show_export(export_id, actor=actor, uow=uow, storage=storage))


@post(
    "/{export_id:uuid}/retry",
    status_code=202,
    opt=idempotent(),
    responses=errors(RoleRequired, NotFound, ExportNotFailed),
)
async def retry_export(
    export_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[ExportView]:
    """Have an export that failed made again, of the same days."""
    return Data(await export_jobs.retry_export(export_id, actor=actor, uow=uow))


@delete("/{export_id:uuid}", status_code=204, responses=errors(RoleRequired, NotFound))
async def remove_export(export_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork) -> None:
    """Remove an export and its files; one that is being made is given up."""
    await export_jobs.remove_export(export_id, actor=actor, uow=uow)


ROUTER = Router(
    "/api/v1/admin/exports",
    route_handlers=[request_export, list_exports, read_export, retry_export, remove_export],
    tags=["Administration"],
)
