"""Discounts that stores and the platform give."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.ordering import discounts
from application.ordering.discounts import (
    CreateDiscount,
    DiscountTooDeep,
    DiscountView,
    UpdateDiscount,
)
from domain.ordering.discount import CodeTaken, DiscountInvalid, DiscountUsedUp
from domain.shared.errors import NotAllowed, NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.moderating import UNSAYABLE
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheFees, TheIds, TheModeration, TheUnitOfWork


@get("/", responses=errors(NotFound, NotAllowed))
async def list_discounts(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    store_id: FromQuery[UUID | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[DiscountView]:
    """A store's discounts, newest first; without a store the platform's, for administrators."""
    found = await discounts.list_discounts(
        store_id, actor=actor, uow=uow, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda discount: discount.id)


@post(
    "/",
    responses=errors(*UNSAYABLE, NotFound, NotAllowed, DiscountInvalid, CodeTaken, DiscountTooDeep),
)
async def create_discount(
    data: JSONBody[CreateDiscount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    fees: TheFees,
    moderation: TheModeration,
) -> Data[DiscountView]:
    """Give a discount: for a code or by itself, a percentage or an amount, of lines or of the cart.
    A store's is paid by the store, the platform's comes out of the platform's fee."""
    return Data(
        await discounts.create_discount(
            data, actor=actor, uow=uow, clock=clock, ids=ids, fees=fees, moderation=moderation
        )
    )


@patch(
    "/{discount_id:uuid}",
    responses=errors(*UNSAYABLE, NotFound, NotAllowed, DiscountInvalid, DiscountUsedUp),
)
async def update_discount(
    discount_id: FromPath[UUID],
    data: JSONBody[UpdateDiscount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    moderation: TheModeration,
) -> Data[DiscountView]:
    """Rename it, pause it, or change its end and limits. Orders placed already keep their price."""
    return Data(
        await discounts.update_discount(
            discount_id, data, actor=actor, uow=uow, moderation=moderation
        )
    )


@delete("/{discount_id:uuid}", responses=errors(NotFound, NotAllowed))
async def end_discount(
    discount_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> None:
    """End it for good. Orders placed already keep their price; the code may be given again."""
    await discounts.end_discount(discount_id, actor=actor, uow=uow)


ROUTER = Router(
    "/api/v1/discounts",
    route_handlers=[list_discounts, create_discount, update_discount, end_discount],
    tags=["Discounts"],
)
