"""Characters: the same person in many pictures."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from application.licensing.standing import NoLicence
from application.moderation.subjects import HeldByModerators
from application.ports.library import CharacterRow
from application.ports.repository import StaleVersion
from application.studio.library import characters
from application.studio.library.characters import ChangeCharacter, CharacterDetails, MakeCharacter
from application.studio.library.publishing import LikenessNotYours, publish, unpublish
from application.studio.library.works import Publicity
from domain.licensing.consent import ConsentMissing
from domain.shared.errors import NotFound
from domain.studio.character import CharacterUnderage, ReferencesRefused
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
    TheStorage,
    TheUnitOfWork,
)


@post(
    "/",
    responses=errors(
        *UNSAYABLE, NotFound, ReferencesRefused, CharacterUnderage, NoLicence, ConsentMissing
    ),
)
async def make_character(
    data: JSONBody[MakeCharacter],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
    moderation: TheModeration,
    ids: TheIds,
) -> Data[CharacterDetails]:
    """Describe a character, and show it with one to four images of the caller's. With a
    `creator_id` it has that creator's likeness, and what is made with it is under their licence."""
    return Data(
        await characters.make_character(
            data, actor=actor, uow=uow, storage=storage, clock=clock, moderation=moderation, ids=ids
        )
    )


@get("/")
async def list_characters(
    actor: CurrentActor,
    library_views: TheLibraryViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[CharacterRow]:
    """The caller's own, newest first. What others have published is in the community."""
    found = await library_views.characters(
        actor.user_id, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda character: character.id)


@get("/{character_id:uuid}", responses=errors(NotFound))
async def read_character(
    character_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, storage: TheStorage
) -> Data[CharacterDetails]:
    """A character of the caller's, or one that is published."""
    return Data(
        await characters.show_character(character_id, actor=actor, uow=uow, storage=storage)
    )


@patch(
    "/{character_id:uuid}",
    responses=errors(*UNSAYABLE, NotFound, ReferencesRefused, CharacterUnderage, StaleVersion),
)
async def change_character(
    character_id: FromPath[UUID],
    data: JSONBody[ChangeCharacter],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    storage: TheStorage,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[CharacterDetails]:
    """Change a character; what is left out stays. A published one has to be published again."""
    return Data(
        await characters.change_character(
            character_id,
            data,
            actor=actor,
            uow=uow,
            storage=storage,
            clock=clock,
            moderation=moderation,
        )
    )


@delete("/{character_id:uuid}", responses=errors(NotFound))
async def delete_character(
    character_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> None:
    """Delete a character. What was made with it stays."""
    await characters.delete_character(character_id, actor=actor, uow=uow, clock=clock)


@post(
    "/{character_id:uuid}/publish",
    status_code=200,
    responses=errors(
        *UNSAYABLE,
        NotFound,
        HeldByModerators,
        StaleVersion,
        LikenessNotYours,
        NoLicence,
        ConsentMissing,
    ),
)
async def publish_character(
    character_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    moderation: TheModeration,
) -> Data[Publicity]:
    """Ask to show it to everybody. It is shown when somebody has looked at it; asking again is
    the same."""
    return Data(
        await publish(
            WorkKind.CHARACTER,
            character_id,
            actor=actor,
            uow=uow,
            clock=clock,
            moderation=moderation,
        )
    )


@post("/{character_id:uuid}/unpublish", status_code=200, responses=errors(NotFound))
async def unpublish_character(
    character_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[Publicity]:
    """Show it no more. What it was liked and used is kept, should it be published again."""
    return Data(await unpublish(WorkKind.CHARACTER, character_id, actor=actor, uow=uow))


ROUTER = Router(
    "/api/v1/characters",
    route_handlers=[
        make_character,
        list_characters,
        read_character,
        change_character,
        delete_character,
        publish_character,
        unpublish_character,
    ],
    tags=["Characters"],
)
