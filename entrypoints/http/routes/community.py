"""The community: what others have published, what one likes of it, and who looks at it before."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from application.ports.library import CommunitySort, ReviewedWork
from application.ports.repository import StaleVersion
from application.studio.library import community, publishing
from application.studio.library.community import CommunityWork, FavouriteCount
from application.studio.library.publishing import DecidePublication, ReasonMissing
from domain.shared.errors import NotAllowed, NotFound
from domain.studio.publication import NotInReview, WorkKind
from entrypoints.http.dependencies import CurrentActor, Visitor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheLibraryViews, TheStorage, TheUnitOfWork

Words = Annotated[
    str | None,
    QueryParameter(max_length=200, description="Words, or beginnings of words: all must be there."),
]


@get("/")
async def browse(
    visitor: Visitor,
    library_views: TheLibraryViews,
    storage: TheStorage,
    kind: FromQuery[WorkKind | None] = None,
    sort: FromQuery[CommunitySort] = CommunitySort.POPULAR,
    q: Words = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[CommunityWork]:
    """Published templates, characters and presets: the most liked, the newest or the most used
    first."""
    found = await community.browse_community(
        kind=kind,
        sort=sort,
        q=q,
        visitor=visitor,
        before=read_cursor(cursor, _KEYS[sort]),
        limit=limit + 1,
        views=library_views,
        storage=storage,
    )
    return page_of(found, limit=limit, key=lambda work: (getattr(work, _COLUMNS[sort]), work.id))


@get("/favourites")
async def list_favourites(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    storage: TheStorage,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[CommunityWork]:
    """What the caller likes, the last chosen first, as far as it is still published."""
    found = await community.own_favourites(
        actor=actor,
        before=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
        views=library_views,
        storage=storage,
    )
    chosen_at = {work.id: at for at, work in found}
    works = [work for _, work in found]
    return page_of(works, limit=limit, key=lambda work: (chosen_at[work.id], work.id))


@put("/{work_id:uuid}/favourite", responses=errors(NotFound))
async def favour(
    work_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[FavouriteCount]:
    """Like what is published. Twice is once."""
    return Data(await community.favour(work_id, actor=actor, uow=uow, clock=clock))


@delete("/{work_id:uuid}/favourite", status_code=200, responses=errors(NotFound))
async def unfavour(
    work_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[FavouriteCount]:
    """Like it no more."""
    return Data(await community.unfavour(work_id, actor=actor, uow=uow))


@get("/", responses=errors(NotAllowed))
async def list_waiting(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ReviewedWork]:
    """What waits for a decision, the longest waiting first. For administrators, who read the whole
    of it where its owner does."""
    found = await publishing.waiting_publications(
        actor=actor,
        after=read_cursor(cursor, tuple[datetime, UUID]),
        limit=limit + 1,
        views=library_views,
    )
    return page_of(found, limit=limit, key=lambda work: (work.submitted_at, work.id))


@post(
    "/{work_id:uuid}/decide",
    status_code=204,
    responses=errors(NotAllowed, NotFound, NotInReview, ReasonMissing, StaleVersion),
)
async def decide(
    work_id: FromPath[UUID],
    data: JSONBody[DecidePublication],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> None:
    """Show it to everybody, or reject it with a reason, also after it was published."""
    await publishing.decide_publication(work_id, data, actor=actor, uow=uow, clock=clock)


_COLUMNS = {
    CommunitySort.POPULAR: "favourites",
    CommunitySort.NEW: "published_at",
    CommunitySort.MOST_USED: "uses",
}
_KEYS = {
    CommunitySort.POPULAR: tuple[int, UUID],
    CommunitySort.NEW: tuple[datetime, UUID],
    CommunitySort.MOST_USED: tuple[int, UUID],
}

ROUTER = Router(
    "/api/v1/community",
    route_handlers=[browse, list_favourites, favour, unfavour],
    tags=["Community"],
)
ADMIN_ROUTER = Router(
    "/api/v1/admin/publications", route_handlers=[list_waiting, decide], tags=["Community"]
)
