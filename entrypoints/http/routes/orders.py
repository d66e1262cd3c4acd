"""Checkout, orders, statements and refunds."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.ordering import cancellation, files, reading, refunds
from application.ordering.cancellation import Cancelled, NotCancellable
from application.ordering.files import OrderFile
from application.ordering.reading import OrderView, Statement
from application.ordering.refunds import RefundView, RequestRefund
from application.ports.views import OrderFilter, OrderSummary, RefundRecord, TransferRecord
from application.reporting import order_papers
from domain.ordering.order import DisputeOpen, DisputeState, FulfilmentState, NotPaid
from domain.ordering.refund import NothingToRefund, RefundInvalid, RefundTooLarge
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.formats import (
    AS_FILES,
    MEDIA_TYPES,
    Accepted,
    AskedPaper,
    Paper,
    as_json,
    chosen,
    documented,
    downloaded,
)
from entrypoints.http.idempotency import idempotent
from entrypoints.http.order_reader import READER, OrderReader
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheClock,
    TheDocuments,
    TheHold,
    TheIds,
    TheOrderViews,
    ThePayments,
    TheStorage,
    TheUnitOfWork,
)


@get("/")
async def list_orders(
    actor: CurrentActor,
    order_views: TheOrderViews,
    fulfilment: FromQuery[FulfilmentState | None] = None,
    dispute: FromQuery[DisputeState | None] = None,
    held: FromQuery[bool | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[OrderSummary]:
    """What the caller has bought, newest first. `held`: goods that are paid and must not be
    sent."""
    found = await order_views.of_buyer(
        actor.user_id,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
        wanted=OrderFilter(fulfilment=fulfilment, dispute=dispute, held=held),
    )
    return page_of(found, limit=limit, key=lambda order: order.id)


@get("/{order_id:uuid}", responses=errors(NotFound))
async def read_order(
    order_id: FromPath[UUID],
    reader: OrderReader,
    order_views: TheOrderViews,
    uow: TheUnitOfWork,
) -> Data[OrderView]:
    """The buyer sees all of it, a store and a creator their own lines."""
    return Data(await reading.show_order(order_id, actor=reader, views=order_views, uow=uow))


@get(
    "/{order_id:uuid}/statement",
    opt=AS_FILES,
    responses={200: documented(Data[Statement]), **errors(NotFound)},
)
async def read_statement(
    order_id: FromPath[UUID],
    reader: OrderReader,
    order_views: TheOrderViews,
    uow: TheUnitOfWork,
    documents: TheDocuments,
    asked_format: AskedPaper = None,
    accept: Accepted = None,
) -> Response[Any]:
    """Where each cent went, and why."""
    shown = await reading.show_statement(order_id, actor=reader, views=order_views, uow=uow)
    paper = chosen(asked_format, accept)
    if paper is Paper.JSON:
        return as_json(Data(shown))
    order = await order_views.order(order_id)
    if paper is Paper.CSV:
        content = order_papers.order_csv(shown, order)
    else:
        refunds_seen = await reading.list_refunds(
            order_id, actor=reader, views=order_views, uow=uow
        )
        content = await order_papers.order_pdf(shown, order, refunds_seen, documents=documents)
    return downloaded(content, media_type=MEDIA_TYPES[paper], name=f"order-{order_id}.{paper}")


@get("/{order_id:uuid}/files", responses=errors(NotFound, NotPaid))
async def list_files(
    order_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    storage: TheStorage,
) -> Data[list[OrderFile]]:
    """The images that the buyer has of the order. `GET /assets/{asset_id}`, with the same
    `Order-Token` for a guest, answers the link to a clean copy, which lives five minutes."""
    return Data(await files.list_files(order_id, actor=reader, uow=uow, storage=storage))


@get("/{order_id:uuid}/refunds", responses=errors(NotFound))
async def list_refunds(
    order_id: FromPath[UUID],
    reader: OrderReader,
    order_views: TheOrderViews,
    uow: TheUnitOfWork,
) -> Data[list[RefundRecord]]:
    """The order's refunds, oldest first."""
    return Data(await reading.list_refunds(order_id, actor=reader, views=order_views, uow=uow))


@get("/{order_id:uuid}/transfers", responses=errors(NotFound))
async def list_transfers(
    order_id: FromPath[UUID],
    actor: CurrentActor,
    order_views: TheOrderViews,
    uow: TheUnitOfWork,
) -> Data[list[TransferRecord]]:
    """What was sent of this order to the caller's own payees, and what of it came back."""
    return Data(await reading.list_transfers(order_id, actor=actor, views=order_views, uow=uow))


@post(
    "/{order_id:uuid}/refunds",
    opt=idempotent(required=True),
    responses=errors(NotFound, RefundInvalid, NotPaid, NothingToRefund, RefundTooLarge),
)
async def request_refund(
    order_id: FromPath[UUID],
    data: JSONBody[RequestRefund],
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[RefundView]:
    """Give money back: an amount, some pieces, or all that is left. A store refunds its own
    lines. The answer is the intent, `pending`; it ends as `succeeded` or `failed`."""
    return Data(
        await refunds.request_refund(
            order_id,
            data,
            request_key=request.headers["idempotency-key"],
            actor=actor,
            uow=uow,
            clock=clock,
            ids=ids,
        )
    )


@post(
    "/{order_id:uuid}/cancel",
    status_code=200,
    opt=idempotent(required=True),
    responses=errors(NotFound, NotCancellable, DisputeOpen, 502, 503),
)
async def cancel_order(
    order_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    payments: ThePayments,
    clock: TheClock,
    ids: TheIds,
    hold: TheHold,
) -> Data[Cancelled]:
    """Call it off. Unpaid, its page is closed and nothing is held any more; paid and not yet made,
    all of it is given back."""
    return Data(
        await cancellation.cancel_order(
            order_id,
            actor=reader,
            uow=uow,
            payments=payments,
            clock=clock,
            ids=ids,
            hold=hold,
        )
    )


ROUTER = Router(
    "/api/v1/orders",
    dependencies=READER,
    route_handlers=[
        cancel_order,
        list_orders,
        read_order,
        read_statement,
        list_transfers,
        list_files,
        list_refunds,
        request_refund,
    ],
    tags=["Orders"],
)
