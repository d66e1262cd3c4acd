"""Projects: folders of generations, of one person or of a team."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.ports.repository import StaleVersion
from application.studio.library import projects
from application.studio.library.projects import ChangeProject, MakeProject, ProjectView
from domain.identity.team import RankTooLow
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.moderating import UNSAYABLE
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheIds,
    TheLibraryViews,
    TheModeration,
    TheStorage,
    TheUnitOfWork,
)


@post("/", responses=errors(*UNSAYABLE, NotFound, RankTooLow))
async def make_project(
    data: JSONBody[MakeProject],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
    ids: TheIds,
) -> Data[ProjectView]:
    """Make a project for oneself, or for a team of which one is at least a member."""
    return Data(
        await projects.make_project(
            data, actor=actor, uow=uow, clock=clock, moderation=moderation, ids=ids
        )
    )


@get("/")
async def list_projects(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    storage: TheStorage,
    team_id: FromQuery[UUID | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ProjectView]:
    """The caller's own projects and those of the caller's teams, or of one team; newest first."""
    found = await projects.list_projects(
        actor=actor,
        team_id=team_id,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
        views=library_views,
        storage=storage,
    )
    return page_of(found, limit=limit, key=lambda project: project.id)


@get("/{project_id:uuid}", responses=errors(NotFound))
async def read_project(
    project_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    library_views: TheLibraryViews,
    storage: TheStorage,
) -> Data[ProjectView]:
    """A project, with the newest picture in it."""
    return Data(
        await projects.show_project(
            project_id, actor=actor, uow=uow, views=library_views, storage=storage
        )
    )


@patch("/{project_id:uuid}", responses=errors(*UNSAYABLE, NotFound, RankTooLow, StaleVersion))
async def change_project(
    project_id: FromPath[UUID],
    data: JSONBody[ChangeProject],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    library_views: TheLibraryViews,
    storage: TheStorage,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[ProjectView]:
    """Change a project; what is left out stays. In a team this needs the role member, and to move
    it elsewhere admin."""
    return Data(
        await projects.change_project(
            project_id,
            data,
            actor=actor,
            uow=uow,
            views=library_views,
            storage=storage,
            clock=clock,
            moderation=moderation,
        )
    )


@delete("/{project_id:uuid}", responses=errors(NotFound, RankTooLow))
async def delete_project(
    project_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Delete a project. What was made in it stays. In a team this needs the role admin."""
    await projects.delete_project(project_id, actor=actor, uow=uow, clock=clock)


ROUTER = Router(
    "/api/v1/projects",
    route_handlers=[make_project, list_projects, read_project, change_project, delete_project],
    tags=["Projects"],
)
