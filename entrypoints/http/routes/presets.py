"""Presets: camera, motion, duration and style."""

from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from application.moderation.subjects import HeldByModerators
from application.ports.library import PresetRow
from application.ports.repository import StaleVersion
from application.studio.library import presets
from application.studio.library.presets import (
    ChangePreset,
    DefaultsAreOurs,
    MakePreset,
    PresetDetails,
)
from application.studio.library.publishing import publish, unpublish
from application.studio.library.works import Publicity
from domain.shared.errors import NotFound
from domain.studio.preset import PresetInvalid
from domain.studio.publication import WorkKind
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


@post("/", responses=errors(*UNSAYABLE, NotFound, PresetInvalid, DefaultsAreOurs))
async def make_preset(
    data: JSONBody[MakePreset],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
    ids: TheIds,
) -> Data[PresetDetails]:
    """Make a preset. Administrators make those of the platform, with `default`."""
    return Data(
        await presets.make_preset(
            data, actor=actor, uow=uow, clock=clock, moderation=moderation, ids=ids
        )
    )


@get("/")
async def list_presets(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    own: FromQuery[bool] = False,
    category: Annotated[str | None, QueryParameter(max_length=40)] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[PresetRow]:
    """The platform's presets, or with `own` the caller's; newest first. What others have published
    is in the community."""
    found = await library_views.presets(
        actor.user_id if own else None,
        category=category,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return page_of(found, limit=limit, key=lambda preset: preset.id)


@get("/{preset_id:uuid}", responses=errors(NotFound))
async def read_preset(
    preset_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[PresetDetails]:
    """A preset of the platform or the caller's, or one that is published."""
    return Data(await presets.show_preset(preset_id, actor=actor, uow=uow))


@patch("/{preset_id:uuid}", responses=errors(*UNSAYABLE, NotFound, PresetInvalid, StaleVersion))
async def change_preset(
    preset_id: FromPath[UUID],
    data: JSONBody[ChangePreset],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[PresetDetails]:
    """Change a preset; what is left out stays. A published one has to be published again, but for
    those of the platform, which administrators change."""
    return Data(
        await presets.change_preset(
            preset_id, data, actor=actor, uow=uow, clock=clock, moderation=moderation
        )
    )


@delete("/{preset_id:uuid}", responses=errors(NotFound))
async def delete_preset(
    preset_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Delete a preset. What was made with it stays."""
    await presets.delete_preset(preset_id, actor=actor, uow=uow, clock=clock)


@post(
    "/{preset_id:uuid}/publish",
    status_code=200,
    responses=errors(*UNSAYABLE, NotFound, HeldByModerators, StaleVersion),
)
async def publish_preset(
    preset_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[Publicity]:
    """Ask to show it to everybody. It is shown when somebody has looked at it; asking again is
    the same."""
    return Data(
        await publish(
            WorkKind.PRESET, preset_id, actor=actor, uow=uow, clock=clock, moderation=moderation
        )
    )


@post("/{preset_id:uuid}/unpublish", status_code=200, responses=errors(NotFound))
async def unpublish_preset(
    preset_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[Publicity]:
    """Show it no more. What it was liked and used is kept, should it be published again."""
    return Data(await unpublish(WorkKind.PRESET, preset_id, actor=actor, uow=uow))


ROUTER = Router(
    "/api/v1/presets",
    route_handlers=[
        make_preset,
        list_presets,
        read_preset,
        change_preset,
        delete_preset,
        publish_preset,
        unpublish_preset,
    ],
    tags=["Presets"],
)
