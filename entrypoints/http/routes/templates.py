"""Prompt templates: prompts with blanks, for oneself or for everybody."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from application.moderation.subjects import HeldByModerators
from application.ports.library import OwnWork
from application.ports.repository import StaleVersion
from application.studio.library import templates
from application.studio.library.publishing import publish, unpublish
from application.studio.library.templates import (
    ChangeTemplate,
    FilledIn,
    MakeTemplate,
    TemplateDetails,
    UseTemplate,
)
from application.studio.library.works import Publicity
from domain.shared.errors import NotFound
from domain.studio.publication import WorkKind
from domain.studio.template import TemplateInvalid, ValuesRefused
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
    TheUnitOfWork,
)


@post("/", responses=errors(*UNSAYABLE, TemplateInvalid))
async def make_template(
    data: JSONBody[MakeTemplate],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
    ids: TheIds,
) -> Data[TemplateDetails]:
    """Write a template. Each `{{name}}` in the prompt is one of its variables."""
    return Data(
        await templates.make_template(
            data, actor=actor, uow=uow, clock=clock, moderation=moderation, ids=ids
        )
    )


@get("/")
async def list_templates(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[OwnWork]:
    """The caller's own, newest first. What others have published is in the community."""
    found = await library_views.templates(
        actor.user_id, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda template: template.id)


@get("/{template_id:uuid}", responses=errors(NotFound))
async def read_template(
    template_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[TemplateDetails]:
    """A template of the caller's, or one that is published."""
    return Data(await templates.show_template(template_id, actor=actor, uow=uow))


@patch("/{template_id:uuid}", responses=errors(*UNSAYABLE, NotFound, TemplateInvalid, StaleVersion))
async def change_template(
    template_id: FromPath[UUID],
    data: JSONBody[ChangeTemplate],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[TemplateDetails]:
    """Change a template; what is left out stays. A published one has to be published again."""
    return Data(
        await templates.change_template(
            template_id, data, actor=actor, uow=uow, clock=clock, moderation=moderation
        )
    )


@delete("/{template_id:uuid}", responses=errors(NotFound))
async def delete_template(
    template_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Delete a template. What was made from it stays."""
    await templates.delete_template(template_id, actor=actor, uow=uow, clock=clock)


@post(
    "/{template_id:uuid}/publish",
    status_code=200,
    responses=errors(*UNSAYABLE, NotFound, HeldByModerators, StaleVersion),
)
async def publish_template(
    template_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[Publicity]:
    """Ask to show it to everybody. It is shown when somebody has looked at it; asking again is
    the same."""
    return Data(
        await publish(
            WorkKind.TEMPLATE, template_id, actor=actor, uow=uow, clock=clock, moderation=moderation
        )
    )


@post("/{template_id:uuid}/unpublish", status_code=200, responses=errors(NotFound))
async def unpublish_template(
    template_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[Publicity]:
    """Show it no more. What it was liked and used is kept, should it be published again."""
    return Data(await unpublish(WorkKind.TEMPLATE, template_id, actor=actor, uow=uow))


@post(
    "/{template_id:uuid}/use",
    status_code=200,
    responses=errors(*UNSAYABLE, NotFound, ValuesRefused),
)
async def use_template(
    template_id: FromPath[UUID],
    data: JSONBody[UseTemplate],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[FilledIn]:
    """Fill in the blanks. Uses of what is published count once for each person and day."""
    return Data(
        await templates.use_template(
            template_id, data, actor=actor, uow=uow, clock=clock, moderation=moderation
        )
    )


ROUTER = Router(
    "/api/v1/templates",
    route_handlers=[
        make_template,
        list_templates,
        read_template,
        change_template,
        delete_template,
        publish_template,
        unpublish_template,
        use_template,
    ],
    tags=["Templates"],
)
