"""Generations: asking for something made from a likeness, and following what becomes of it."""

from datetime import datetime
from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.licensing.derivatives import SourceNotLicensed
from application.licensing.standing import LicenceRefused, NoLicence
from application.moderation.judging import TextRefused
from application.ports.errors import OutcomeUnknown, Unavailable
from application.ports.repository import StaleVersion
from application.ports.studio import GenerationFilter
from application.studio.generations import (
    AcceptedJob,
    GenerationKind,
    RequestGeneration,
    cancel_generation,
    delete_generation,
    request_generation,
    retry_generation,
)
from application.studio.library.resolving import LikenessOfAnother, PromptTooLong
from application.studio.prompts import NoLanguageModel, PromptDeclined
from application.studio.reading import GenerationDetails, list_generations, read_generation
from domain.creators.likeness_model import ModelDeleted
from domain.identity.team import RankTooLow
from domain.licensing.approval import ApprovalAnswered, ApprovalNeeded
from domain.licensing.consent import ConsentMissing
from domain.licensing.usage import QuotaExhausted
from domain.media.asset import AssetInUse
from domain.moderation.strikes import GenerationSuspended
from domain.shared.errors import NotFound
from domain.studio.character import ReferencesRefused
from domain.studio.credits import CreditsExhausted
from domain.studio.generation import CreatorRequired, ModelNotReady, SceneRequired, SourceRefused
from domain.studio.job import JobEnded, JobNotRetryable, JobOpen, JobStatus
from domain.studio.pipelines import JobKind
from domain.studio.template import ValuesRefused
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheLive,
    TheModeration,
    ThePromptEnhancer,
    TheStorage,
    TheStudioViews,
    TheUnitOfWork,
)

_REFUSALS = (
    NotFound,
    TextRefused,
    GenerationSuspended,
    ConsentMissing,
    NoLicence,
    ModelNotReady,
    LicenceRefused,
    ApprovalNeeded,
    ApprovalAnswered,
    QuotaExhausted,
    CreditsExhausted,
    SourceNotLicensed,
    ReferencesRefused,
)
_UNUSABLE = (
    SceneRequired,
    SourceRefused,
    CreatorRequired,
    ValuesRefused,
    LikenessOfAnother,
    PromptTooLong,
    RankTooLow,
    StaleVersion,
    PromptDeclined,
    NoLanguageModel,
    Unavailable,
    OutcomeUnknown,
)


@post(
    "/",
    status_code=202,
    opt=idempotent(),
    responses=errors(*_UNUSABLE, *_REFUSALS),
)
async def request(
    data: JSONBody[RequestGeneration],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    live: TheLive,
    prompt_enhancer: ThePromptEnhancer,
    moderation: TheModeration,
) -> Data[AcceptedJob]:
    """Ask for an image, a video, a talking avatar, a 3D model or speech. It is made later: follow
    it here, or live as `job:{id}`. What it may cost at most is held from your credits."""
    accepted = await request_generation(
        data,
        actor=actor,
        uow=uow,
        enhancer=prompt_enhancer,
        clock=clock,
        ids=ids,
        live=live,
        moderation=moderation,
    )
    return Data(accepted)


@get("/")
async def list_own(
    actor: CurrentActor,
    studio_views: TheStudioViews,
    storage: TheStorage,
    kind: FromQuery[GenerationKind | None] = None,
    status: FromQuery[JobStatus | None] = None,
    project_id: FromQuery[UUID | None] = None,
    character_id: FromQuery[UUID | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[GenerationDetails]:
    """The caller's generations, newest first, of a kind, in a status, of a project, of a
    character."""
    found = await list_generations(
        actor=actor,
        only=GenerationFilter(
            kind=JobKind(kind) if kind else None,
            status=status,
            project_id=project_id,
            character_id=character_id,
        ),
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
    """A generation: its steps, what it costs, and fresh links to watermarked copies of what it
    made."""
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
    responses=errors(JobNotRetryable, ModelDeleted, *_REFUSALS),
)
async def retry(
    generation_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    live: TheLive,
    moderation: TheModeration,
) -> Data[AcceptedJob]:
    """Start it again after it failed, expired or was cancelled, under the terms in force now."""
    return Data(
        await retry_generation(
            generation_id,
            actor=actor,
            uow=uow,
            clock=clock,
            ids=ids,
            live=live,
            moderation=moderation,
        )
    )


@delete(
    "/{generation_id:uuid}",
    responses=errors(NotFound, JobOpen, AssetInUse),
)
async def remove(
    generation_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Erase what was made and what was asked for. Cancel first what is under way; what is listed
    for sale, or was bought, stays."""
    await delete_generation(generation_id, actor=actor, uow=uow, clock=clock)


ROUTER = Router(
    "/api/v1/generations",
    route_handlers=[request, list_own, read, cancel, retry, remove],
    tags=["Generations"],
)
