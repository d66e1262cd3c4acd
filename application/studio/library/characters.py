"""Characters: describe one, show it with images, or give it a creator's likeness."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.licensing.standing import NoLicence, standing_terms
from application.media.delivery import shown_url
from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.works import (
    Category,
    Description,
    Name,
    Publicity,
    Version,
    changed,
    is_own,
    own_work,
    publicity_of,
    require_version,
    unlisted,
    usable_work,
)
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentUse
from domain.media.asset import Asset, AssetState, Media
from domain.moderation.case import SubjectKind
from domain.studio.character import (
    MAX_REFERENCES,
    Character,
    Gender,
    ReferencesRefused,
    check_age,
)
from domain.studio.publication import Publication

Age = Annotated[int, msgspec.Meta(ge=0, le=120, description="At least 18.", examples=[29])]
Style = Annotated[str, msgspec.Meta(max_length=500)]
References = Annotated[list[UUID], msgspec.Meta(max_length=MAX_REFERENCES)]


class MakeCharacter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One to four images of the caller's show the character. With a `creator_id` it has that
    creator's likeness, needs no images, and what is made with it is under their licence."""

    name: Name
    description: Description = ""
    category: Category = ""
    gender: Gender = Gender.UNSPECIFIED
    age: Age
    style: Style = ""
    asset_ids: References = []
    creator_id: UUID | None = None


class ChangeCharacter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. Whose likeness it has is never changed."""

    name: Name | None = None
    description: Description | None = None
    category: Category | None = None
    gender: Gender | None = None
    age: Age | None = None
    style: Style | None = None
    asset_ids: References | None = None
    version: Version | None = None


class ReferenceView(msgspec.Struct, frozen=True, kw_only=True):
    asset_id: UUID
    preview_url: str | None
    thumbnail_url: str | None


class CharacterDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`own` says whether the caller may change it."""

    id: UUID
    own: bool
    name: str
    description: str
    category: str
    gender: Gender
    age: int
    style: str
    references: list[ReferenceView]
    creator_id: UUID | None
    publicity: Publicity
    created_at: datetime
    updated_at: datetime
    version: int


async def make_character(
    command: MakeCharacter,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    clock: Clock,
    moderation: Moderation,
    ids: Ids,
) -> CharacterDetails:
    """Raises CharacterUnderage, ReferencesRefused; for a creator's likeness also NotFound,
    NoLicence, ConsentMissing."""
    check_age(command.age)
    now = clock.now()
    await require_publishable(
        command,
        SubjectKind.CHARACTER,
        actor=actor,
        uow=uow,
        moderation=moderation,
        creator_id=command.creator_id,
    )
    async with uow:
        if command.creator_id is not None:
            await require_licence(command.creator_id, uow=uow, at=now)
        character = Character(
            id=ids.new(),
            owner_id=actor.user_id,
            creator_id=command.creator_id,
            name=command.name,
            description=command.description,
            category=command.category,
            gender=command.gender,
            age=command.age,
            style=command.style,
            created_at=now,
            updated_at=now,
        )
        character.show(command.asset_ids)
        await _require_own_images(command.asset_ids, actor=actor, uow=uow)
        uow.characters.add(character)
        await uow.commit()
        return await _details(character, None, actor=actor, uow=uow, storage=storage)


async def show_character(
    character_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage
) -> CharacterDetails:
    """Raises NotFound."""
    async with uow:
        character, publication = await usable_work(
            uow.characters, character_id, "character", actor=actor, uow=uow
        )
        return await _details(character, publication, actor=actor, uow=uow, storage=storage)


async def change_character(
    character_id: UUID,
    command: ChangeCharacter,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    clock: Clock,
    moderation: Moderation,
) -> CharacterDetails:
    """What was published is private again. Raises NotFound, CharacterUnderage, ReferencesRefused,
    StaleVersion."""
    await require_publishable(
        command,
        SubjectKind.CHARACTER,
        character_id,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        character = await own_work(
            uow.characters, character_id, "character", actor=actor, lock=True
        )
        require_version(character, command.version)
        for field in ("name", "description", "category", "gender", "style"):
            if (value := getattr(command, field)) is not None:
                setattr(character, field, value)
        if command.age is not None:
            check_age(command.age)
            character.age = command.age
        if command.asset_ids is not None:
            await _require_own_images(command.asset_ids, actor=actor, uow=uow)
            character.show(command.asset_ids)
        await changed(character, actor=actor, uow=uow, at=clock.now())
        await uow.commit()
        publication = await uow.publications.find(character_id)
        return await _details(character, publication, actor=actor, uow=uow, storage=storage)


async def delete_character(
    character_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """Its images are free again; what was made with it stays. Raises NotFound."""
    async with uow:
        character = await own_work(
            uow.characters, character_id, "character", actor=actor, lock=True
        )
        await unlisted(character, uow=uow)
        character.delete(at=clock.now())
        await uow.commit()


async def require_licence(creator_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    """That images of the creator may be made at all; what each of them may show is asked when it
    is made. Raises NotFound, NoLicence, ConsentMissing."""
    standing = await standing_terms(uow, creator_id)
    standing.terms_in_force()
    revoked_from = standing.revoked_from()
    if revoked_from is not None and at >= revoked_from:
        raise NoLicence("The creator's licence has been revoked.")
    standing.require_consent(ConsentUse.IMAGE)


async def _require_own_images(asset_ids: Sequence[UUID], *, actor: Actor, uow: UnitOfWork) -> None:
    usable = {
        asset.id
        for asset in await uow.assets.many(asset_ids)
        if asset.owner_id == actor.user_id
        and asset.media is Media.IMAGE
        and asset.state is AssetState.READY
    }
    problems = [f"{one} is not an image of yours" for one in asset_ids if one not in usable]
    if problems:
        raise ReferencesRefused(
            "The images do not show a character.", fields={"asset_ids": problems}
        )


async def _details(
    character: Character,
    publication: Publication | None,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
) -> CharacterDetails:
    own = is_own(character, actor)
    found = {asset.id: asset for asset in await uow.assets.many(character.asset_ids)}
    shown = [found[asset_id] for asset_id in character.asset_ids if asset_id in found]
    return CharacterDetails(
        id=character.id,
        own=own,
        name=character.name,
        description=character.description,
        category=character.category,
        gender=character.gender,
        age=character.age,
        style=character.style,
        references=list(await asyncio.gather(*(_reference(one, storage) for one in shown))),
        creator_id=character.creator_id,
        publicity=await publicity_of(publication, own=own, actor=actor, uow=uow),
        created_at=character.created_at,
        updated_at=character.updated_at,
        version=character.version,
    )


async def _reference(asset: Asset, storage: ObjectStorage) -> ReferenceView:
    return ReferenceView(
        asset_id=asset.id,
        preview_url=await shown_url(asset.preview_key, storage=storage),
        thumbnail_url=await shown_url(asset.thumbnail_key, storage=storage),
    )
