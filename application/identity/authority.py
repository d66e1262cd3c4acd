"""Who may act for a store, a creator or a payee. Every use case that needs to know asks here.

A store's people are its owner, the members of its team, and its staff; what each may do follows
from the role (`domain.identity.team.ACTS`). What an actor may not see is NotFound; what it may see
but not do is RankTooLow. Administrators of the platform may do everything.
"""

from collections.abc import Collection
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.store import Store
from domain.identity.actor import Actor
from domain.identity.team import ACTS, RankTooLow, StoreAct, TeamRole, highest
from domain.ledger.payee import Payee, PayeeKind
from domain.shared.errors import NotFound

__all__ = ["StoreAct", "payee_for", "store_for", "stores_for"]


async def store_for(store_id: UUID, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> Store:
    """The store, when the actor may do this for it. Raises NotFound, RankTooLow."""
    store = await uow.stores.get(store_id)
    if actor.is_admin or store.owner_id == actor.user_id:
        return store
    role = (await _roles(actor, uow=uow, among=[store_id])).get(store_id)
    if role is None:
        raise NotFound("store", store_id)
    if act not in ACTS[role]:
        raise RankTooLow(f"The role {role} does not allow this.", role=str(role), needed=str(act))
    return store


async def stores_for(act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> list[Store]:
    """The stores for which the actor may do this, by id. An administrator's power lists none."""
    allowed = [i for i, role in (await _roles(actor, uow=uow)).items() if act in ACTS[role]]
    found = await uow.stores.many(allowed) if allowed else []
    return sorted(found, key=lambda store: store.id)


async def payee_for(payee_id: UUID, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> Payee:
    """The payee, when the actor may do this for the creator or store behind it."""
    payee = await uow.payees.get(payee_id)
    match payee.kind:
        case PayeeKind.STORE:
            await store_for(payee_id, act, actor=actor, uow=uow)
        case PayeeKind.CREATOR:
            if (await uow.creators.get(payee_id)).user_id != actor.user_id and not actor.is_admin:
                raise NotFound(payee.kind, payee_id)
    return payee


async def _roles(
    actor: Actor, *, uow: UnitOfWork, among: Collection[UUID] | None = None
) -> dict[UUID, TeamRole]:
    held: dict[UUID, list[TeamRole]] = {}
    for found in await uow.staff.roles(actor.user_id, among=among):
        held.setdefault(found.store_id, []).append(found.role)
    return {store_id: role for store_id, roles in held.items() if (role := highest(roles))}
