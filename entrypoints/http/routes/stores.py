"""Stores, for their owners."""

from uuid import UUID

from litestar import Router, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.catalogue import stores
from application.catalogue.stores import OpenStore, StoreView, UpdateStore
from application.ledger.balances import store_balance
from application.ports.views import (
    Balance,
    OrderFilter,
    OrderSummary,
)
from domain.creators.creator import SlugInvalid, SlugTaken
from domain.identity.actor import RoleRequired
from domain.ordering.order import DisputeState, FulfilmentState
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.moderating import UNSAYABLE
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    CurrencyCode,
    TheBalanceViews,
    TheClock,
    TheIds,
    TheModeration,
    TheOrderViews,
    TheUnitOfWork,
)


@post("/", responses=errors(*UNSAYABLE, RoleRequired, SlugInvalid, SlugTaken))
async def open_store(
    data: JSONBody[OpenStore],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    moderation: TheModeration,
) -> Data[StoreView]:
    """Open a store."""
    return Data(
        await stores.open_store(
            data, actor=actor, uow=uow, clock=clock, ids=ids, moderation=moderation
        )
    )


@get("/")
async def list_stores(actor: CurrentActor, uow: TheUnitOfWork) -> Data[list[StoreView]]:
    """The caller's stores."""
    return Data(await stores.list_stores(actor=actor, uow=uow))


@get("/{store_id:uuid}", responses=errors(NotFound))
async def read_store(
    store_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[StoreView]:
    """One of the caller's stores."""
    return Data(await stores.show_store(store_id, actor=actor, uow=uow))


@patch("/{store_id:uuid}", responses=errors(*UNSAYABLE, NotFound))
async def update_store(
    store_id: FromPath[UUID],
    data: JSONBody[UpdateStore],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    moderation: TheModeration,
) -> Data[StoreView]:
    """Change a store; what is left out stays."""
    return Data(
        await stores.update_store(store_id, data, actor=actor, uow=uow, moderation=moderation)
    )


@get("/{store_id:uuid}/balance", responses=errors(NotFound))
async def balance(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    balance_views: TheBalanceViews,
    currency: CurrencyCode = None,
) -> Data[Balance]:
    """What the store has earned, and when it becomes available."""
    return Data(
        await store_balance(store_id, actor=actor, uow=uow, views=balance_views, currency=currency)
    )


@get("/{store_id:uuid}/orders", responses=errors(NotFound))
async def list_orders(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    order_views: TheOrderViews,
    fulfilment: FromQuery[FulfilmentState | None] = None,
    dispute: FromQuery[DisputeState | None] = None,
    held: FromQuery[bool | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[OrderSummary]:
    """Orders with a line of this store, newest first; amounts are those of its lines. `held`:
    goods that are paid and must not be sent."""
    await stores.show_store(store_id, actor=actor, uow=uow)
    found = await order_views.of_store(
        store_id,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
        wanted=OrderFilter(fulfilment=fulfilment, dispute=dispute, held=held),
    )
    return page_of(found, limit=limit, key=lambda order: order.id)


ROUTER = Router(
    "/api/v1/stores",
    route_handlers=[open_store, list_stores, read_store, update_store, balance, list_orders],
    tags=["Stores"],
)
