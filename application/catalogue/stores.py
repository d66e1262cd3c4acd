"""Open a store and keep its page."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import Slug
from application.identity.authority import StoreAct, store_for, stores_for
from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.shipping import ShippingOption
from domain.catalogue.store import Store
from domain.creators.creator import check_slug
from domain.identity.actor import Actor, Role
from domain.identity.team import TeamRole
from domain.ledger.payee import Payee, PayeeKind

StoreName = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
StoreDescription = Annotated[str, msgspec.Meta(max_length=5000)]


class OpenStore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: StoreName
    slug: Slug
    description: StoreDescription = ""
    team_id: UUID | None = None


class UpdateStore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is; without `shipping_options` the store ships at its own
    expense, and buyers are not asked for it. `team_id` null takes the store away from its team."""

    name: StoreName | None = None
    description: StoreDescription | None = None
    team_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    shipping_options: Annotated[list[ShippingOption], msgspec.Meta(max_length=2)] | None = None


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    name: str
    description: str
    team_id: UUID | None
    shipping_options: list[ShippingOption]
    created_at: datetime
    version: int


async def open_store(
    command: OpenStore,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    moderation: Moderation,
) -> StoreView:
    """Raises RoleRequired, TextRefused, SlugInvalid, SlugTaken, and NotFound or RankTooLow for the
    team."""
    actor.require(Role.STORE_OWNER)
    await require_publishable(command, "store", actor=actor, uow=uow, moderation=moderation)
    async with uow:
        await _check_team(command.team_id, actor=actor, uow=uow)
        store = Store(
            id=ids.new(),
            owner_id=actor.user_id,
            slug=check_slug(command.slug),
            name=command.name,
            description=command.description,
            created_at=clock.now(),
            team_id=command.team_id,
        )
        uow.stores.add(store)
        uow.payees.add(Payee(id=store.id, kind=PayeeKind.STORE))
        await uow.commit()
    return store_view(store)


async def update_store(
    store_id: UUID,
    command: UpdateStore,
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
) -> StoreView:
    """Raises TextRefused, NotFound."""
    await require_publishable(command, "store", actor=actor, uow=uow, moderation=moderation)
    async with uow:
        store = await store_for(store_id, StoreAct.OWN, actor=actor, uow=uow)
        if command.name is not None:
            store.name = command.name
        if command.description is not None:
            store.description = command.description
        if command.team_id is not msgspec.UNSET:
            await _check_team(command.team_id, actor=actor, uow=uow)
            store.team_id = command.team_id
        if command.shipping_options is not None:
            store.shipping_options = tuple(dict.fromkeys(command.shipping_options))
        await uow.commit()
    return store_view(store)


async def show_store(store_id: UUID, *, actor: Actor, uow: UnitOfWork) -> StoreView:
    async with uow:
        return store_view(await store_for(store_id, StoreAct.VIEW, actor=actor, uow=uow))


async def list_stores(*, actor: Actor, uow: UnitOfWork) -> list[StoreView]:
    async with uow:
        return [
            store_view(store) for store in await stores_for(StoreAct.VIEW, actor=actor, uow=uow)
        ]


async def _check_team(team_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> None:
    """A store is given to a team by one of its admins."""
    if team_id is not None:
        (await uow.teams.get(team_id)).require(actor.user_id, TeamRole.ADMIN)


def store_view(store: Store) -> StoreView:
    return StoreView(
        id=store.id,
        slug=store.slug,
        name=store.name,
        description=store.description,
        team_id=store.team_id,
        shipping_options=list(store.shipping_options),
        created_at=store.created_at,
        version=store.version,
    )
