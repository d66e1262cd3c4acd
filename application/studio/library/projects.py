"""Projects: make one for oneself or a team, look at it, change it, delete it."""

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec

from application.identity.authority import ProjectAct, project_for
from application.media.delivery import shown_url
from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.library import LibraryViews
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.works import Description, Name, Version, require_version
from domain.identity.actor import Actor
from domain.identity.team import TeamRole
from domain.studio.project import Project


class MakeProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With a `team_id` it is the team's: viewers see it, members change it, admins delete it."""

    name: Name
    description: Description = ""
    team_id: UUID | None = None


class ChangeProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. `team_id` gives it to another team, or with null to who made it."""

    name: Name | None = None
    description: Description | None = None
    team_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    version: Version | None = None


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """`thumbnail_url` shows the newest picture in it."""

    id: UUID
    owner_id: UUID
    team_id: UUID | None
    name: str
    description: str
    thumbnail_url: str | None
    created_at: datetime
    updated_at: datetime
    version: int


async def make_project(
    command: MakeProject,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
    ids: Ids,
) -> ProjectView:
    """Raises NotFound and RankTooLow for a team of which the actor is no member."""
    now = clock.now()
    await require_publishable(
        command,
        "project",
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        await _require_member(command.team_id, actor=actor, uow=uow)
        project = Project(
            id=ids.new(),
            owner_id=actor.user_id,
            team_id=command.team_id,
            name=command.name,
            description=command.description,
            created_at=now,
            updated_at=now,
        )
        uow.projects.add(project)
        await uow.commit()
    return _view(project, None)


async def show_project(
    project_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: LibraryViews,
    storage: ObjectStorage,
) -> ProjectView:
    """Raises NotFound."""
    async with uow:
        project = await project_for(project_id, ProjectAct.VIEW, actor=actor, uow=uow)
    return await _with_thumbnail(project, views=views, storage=storage)


async def change_project(
    project_id: UUID,
    command: ChangeProject,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: LibraryViews,
    storage: ObjectStorage,
    clock: Clock,
    moderation: Moderation,
) -> ProjectView:
    """Who gives it away must be able to delete it. Raises NotFound, RankTooLow, StaleVersion."""
    await require_publishable(
        command,
        "project",
        project_id,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        moves = command.team_id is not msgspec.UNSET
        act = ProjectAct.DELETE if moves else ProjectAct.EDIT
        project = await project_for(project_id, act, actor=actor, uow=uow, lock=True)
        require_version(project, command.version)
        if command.team_id is not msgspec.UNSET:
            await _require_member(command.team_id, actor=actor, uow=uow)
            project.team_id = command.team_id
        if command.name is not None:
            project.name = command.name
        if command.description is not None:
            project.description = command.description
        project.updated_at = clock.now()
        await uow.commit()
    return await _with_thumbnail(project, views=views, storage=storage)


async def delete_project(project_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> None:
    """What was made in it stays with who made it. Raises NotFound, RankTooLow."""
    async with uow:
        project = await project_for(project_id, ProjectAct.DELETE, actor=actor, uow=uow, lock=True)
        project.delete(at=clock.now())
        await uow.commit()


async def list_projects(
    *,
    actor: Actor,
    team_id: UUID | None,
    before: UUID | None,
    limit: int,
    views: LibraryViews,
    storage: ObjectStorage,
) -> list[ProjectView]:
    """The actor's own and those of the actor's teams, the newest first."""
    rows = await views.projects(actor.user_id, team_id=team_id, before=before, limit=limit)
    keys = await views.thumbnails([row.id for row in rows])
    urls = await asyncio.gather(*(shown_url(keys.get(row.id), storage=storage) for row in rows))
    return [
        ProjectView(**msgspec.structs.asdict(row), thumbnail_url=url)
        for row, url in zip(rows, urls, strict=True)
    ]


async def _require_member(team_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> None:
    if team_id is not None:
        (await uow.teams.get(team_id)).require(actor.user_id, TeamRole.MEMBER)


async def _with_thumbnail(
    project: Project, *, views: LibraryViews, storage: ObjectStorage
) -> ProjectView:
    keys = await views.thumbnails([project.id])
    return _view(project, await shown_url(keys.get(project.id), storage=storage))


def _view(project: Project, thumbnail_url: str | None) -> ProjectView:
    return ProjectView(
        id=project.id,
        owner_id=project.owner_id,
        team_id=project.team_id,
        name=project.name,
        description=project.description,
        thumbnail_url=thumbnail_url,
        created_at=project.created_at,
        updated_at=project.updated_at,
        version=project.version,
    )
