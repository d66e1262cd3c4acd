"""Become a creator, and keep the page that others see."""

from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation
from application.moderation.subjects import require_not_held
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.creators.creator import Creator, check_slug
from domain.identity.actor import Actor, Role
from domain.ledger.payee import Payee, PayeeKind
from domain.moderation.case import SubjectKind
from domain.shared.errors import NotFound

DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Bio = Annotated[str, msgspec.Meta(max_length=2000)]
Slug = Annotated[
    str,
    msgspec.Meta(
        min_length=3, max_length=40, pattern="^[a-z0-9][a-z0-9-]*[a-z0-9]$", examples=["ada-lace"]
    ),
]


class CreateCreator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: Slug
    display_name: DisplayName
    bio: Bio = ""


class UpdateCreator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    display_name: DisplayName | None = None
    bio: Bio | None = None
    published: bool | None = None


class CreatorProfile(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    display_name: str
    bio: str
    published: bool
    version: int


async def create_creator(
    command: CreateCreator,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    moderation: Moderation,
) -> CreatorProfile:
    """Raises RoleRequired, TextRefused, SlugInvalid, SlugTaken, AlreadyCreator."""
    actor.require(Role.CREATOR)
    await require_publishable(
        command, SubjectKind.CREATOR, actor=actor, uow=uow, moderation=moderation
    )
    async with uow:
        creator = Creator(
            id=ids.new(),
            user_id=actor.user_id,
            slug=check_slug(command.slug),
            display_name=command.display_name,
            bio=command.bio,
            published=True,
            created_at=clock.now(),
        )
        uow.creators.add(creator)
        uow.payees.add(Payee(id=creator.id, kind=PayeeKind.CREATOR))
        await uow.commit()
    return profile_of(creator)


async def update_creator(
    command: UpdateCreator, *, actor: Actor, uow: UnitOfWork, moderation: Moderation
) -> CreatorProfile:
    """Change the actor's own page. Raises NotFound when the actor is no creator, TextRefused,
    HeldByModerators."""
    await require_publishable(
        command, SubjectKind.CREATOR, actor=actor, uow=uow, moderation=moderation
    )
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
        if creator is None:
            raise NotFound("creator")
        if command.display_name is not None:
            creator.display_name = command.display_name
        if command.bio is not None:
            creator.bio = command.bio
        if command.published is not None:
            if command.published:
                await require_not_held(SubjectKind.CREATOR, creator.id, uow=uow)
            creator.published = command.published
        await uow.commit()
    return profile_of(creator)


async def show_own(*, actor: Actor, uow: UnitOfWork) -> CreatorProfile:
    """The actor's own page, published or not. Raises NotFound when the actor is no creator."""
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    return profile_of(creator)


async def own_creator(creator_id: UUID, *, actor: Actor, uow: UnitOfWork) -> Creator:
    """The creator, locked, when it is the actor's. Raises NotFound for anybody else's."""
    creator = await uow.creators.get(creator_id, lock=True)
    if creator.user_id != actor.user_id and not actor.is_admin:
        raise NotFound("creator", creator_id)
    return creator


def profile_of(creator: Creator) -> CreatorProfile:
    return CreatorProfile(
        id=creator.id,
        slug=creator.slug,
        display_name=creator.display_name,
        bio=creator.bio,
        published=creator.published,
        version=creator.version,
    )
