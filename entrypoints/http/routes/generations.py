"""Generations: asking for an image of a creator's likeness and following what becomes of it."""

from datetime import datetime
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from application.licensing.standing import LicenceRefused, NoLicence
from application.studio.generations import (
    AcceptedJob,
    RequestGeneration,
    cancel_generation,
    request_generation,
    retry_generation,
)
from application.studio.reading import GenerationDetails, list_generations, read_generation
from domain.licensing.approval import ApprovalAnswered, ApprovalNeeded
from domain.licensing.consent import ConsentMissing
from domain.licensing.usage import QuotaExhausted
from domain.shared.errors import NotFound
from domain.studio.generation import ModelNotReady, SceneRequired
from domain.studio.job import JobEnded, JobNotRetryable
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheLive,
    TheStorage,
    TheStudioViews,
    TheUnitOfWork,
)

_REFUSALS = (
    NotFound,
    ConsentMissing,
    NoLicence,
    ModelNotReady,
    LicenceRefused,
    ApprovalNeeded,
    ApprovalAnswered,
    QuotaExhausted,
)


@post("/", status_code=202, opt=idempotent(), responses=errors(SceneRequired, *_REFUSALS))
async def request(
    data: JSONBody[RequestGeneration],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    live: TheLive,
) -> Data[AcceptedJob]:
    """Ask for an image. It is made later: follow it here, or live as `job:{id}`."""
    accepted = await request_generation(data, actor=actor, uow=uow, clock=clock, ids=ids, live=live)
    return Data(accepted)


@get("/")
async def list_own(
    actor: CurrentActor,
    studio_views: TheStudioViews,
    storage: TheStorage,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[GenerationDetails]:
    """The caller's generations, newest first."""
    found = await list_generations(
        actor=actor,
        before=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
        views=studio_views,
        storage=storage,
    )
    return page_of(found, limit=limit, key=lambda made: (made.created_at, made.id))


@get("/{generation_id:uuid}", responses=errors(NotFound))
async def read(
    generation_id: FromPath[UUID],
    actor: CurrentActor,
    studio_views: TheStudioViews,
    storage: TheStorage,
) -> Data[GenerationDetails]:
    """A generation, with fresh links to its watermarked images."""
    return Data(
        await read_generation(generation_id, actor=actor, views=studio_views, storage=storage)
    )


@post("/{generation_id:uuid}/cancel", status_code=200, responses=errors(NotFound, JobEnded))
async def cancel(
    generation_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    live: TheLive,
) -> Data[AcceptedJob]:
    """Stop it. Cancelling twice is fine."""
    return Data(
        await cancel_generation(generation_id, actor=actor, uow=uow, clock=clock, live=live)
    )


@post(
    "/{generation_id:uuid}/retry",
    status_code=202,
    opt=idempotent(),
    responses=errors(JobNotRetryable, *_REFUSALS),
)
async def retry(
    generation_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    live: TheLive,
) -> Data[AcceptedJob]:
    """Start it again after it failed, expired or was cancelled, under the terms in force now."""
    return Data(
        await retry_generation(generation_id, actor=actor, uow=uow, clock=clock, ids=ids, live=live)
    )


ROUTER = Router(
    "/api/v1/generations",
    route_handlers=[request, list_own, read, cancel, retry],
    tags=["Generations"],
)
