"""Who sees which dispute. Nothing of the buyer is shown; what was said to the bank stays there."""

from uuid import UUID

from application.identity.authority import StoreAct, stores_for
from application.ordering.reading import show_order
from application.ports.dispute_views import DisputeRecord, DisputeScope, DisputeViews
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import OrderViews
from domain.identity.actor import Actor


async def list_disputes(
    *,
    actor: Actor,
    uow: UnitOfWork,
    dispute_views: DisputeViews,
    before: UUID | None,
    limit: int,
) -> list[DisputeRecord]:
    """An administrator's are all; a store's and a creator's those of their own lines."""
    scope = await scope_of(actor, uow=uow)
    return await dispute_views.page(scope, before=before, limit=limit)


async def show_dispute(
    dispute_id: UUID, *, actor: Actor, uow: UnitOfWork, dispute_views: DisputeViews
) -> DisputeRecord:
    """Raises NotFound."""
    return await dispute_views.one(dispute_id, await scope_of(actor, uow=uow))


async def list_order_disputes(
    order_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: OrderViews,
    dispute_views: DisputeViews,
) -> list[DisputeRecord]:
    """For all who see the order. Raises NotFound."""
    await show_order(order_id, actor=actor, views=views, uow=uow)
    return await dispute_views.of_order(order_id)


async def scope_of(
    actor: Actor, *, uow: UnitOfWork, act: StoreAct = StoreAct.VIEW, as_creator: bool = True
) -> DisputeScope:
    """What the actor may see, or do `act` for."""
    if actor.is_admin:
        return DisputeScope(everything=True)
    async with uow:
        stores = await stores_for(act, actor=actor, uow=uow)
    return DisputeScope(
        store_ids=[store.id for store in stores],
        creator_user_id=actor.user_id if as_creator else None,
    )
