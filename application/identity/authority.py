"""Who may act for a store, a creator or a payee. Every use case that needs to know asks here.

What an actor may not see is NotFound; what it may see but not do is NotAllowed.
"""

from enum import StrEnum
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.store import Store
from domain.identity.actor import Actor
from domain.ledger.payee import Payee, PayeeKind
from domain.shared.errors import NotFound


class StoreAct(StrEnum):
    """What is done for a store, from the least to the most that must be trusted."""

    VIEW = "view"
    EDIT = "edit"
    ORDERS = "orders"
    MONEY = "money"
    OWN = "own"


async def store_for(store_id: UUID, act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> Store:
    """The store, when the actor may do this for it. Raises NotFound, NotAllowed."""
    store = await uow.stores.get(store_id)
    if store.owner_id != actor.user_id and not actor.is_admin:
        raise NotFound("store", store_id)
    return store


async def stores_for(act: StoreAct, *, actor: Actor, uow: UnitOfWork) -> list[Store]:
    """The stores for which the actor may do this. An administrator's power lists none."""
    return await uow.stores.owned_by(actor.user_id)


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
