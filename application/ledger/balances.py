"""Read what a payee has earned: for its owner only."""

from uuid import UUID

from application.identity.authority import StoreAct, store_for
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import Balance, BalanceViews
from domain.identity.actor import Actor
from domain.shared.errors import NotFound


async def creator_balance(
    *, actor: Actor, uow: UnitOfWork, views: BalanceViews, currency: str | None
) -> Balance:
    """The actor's own balance as a creator. Raises NotFound when the actor is none."""
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    return await views.balance(creator.id, currency=currency)


async def store_balance(
    store_id: UUID, *, actor: Actor, uow: UnitOfWork, views: BalanceViews, currency: str | None
) -> Balance:
    """Raises NotFound for a store that is not the actor's."""
    async with uow:
        store = await store_for(store_id, StoreAct.MONEY, actor=actor, uow=uow)
    return await views.balance(store.id, currency=currency)
