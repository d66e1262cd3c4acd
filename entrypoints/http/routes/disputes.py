"""Disputes: what banks hold, and what is said to them; refunds that were paid otherwise."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody

from application.ordering import (
    dispute_evidence,
    dispute_reading,
    evidence_pack,
    provider_refunds,
)
from application.ordering.dispute_evidence import EvidenceEmpty, SubmitEvidence
from application.ordering.provider_refunds import SettleRefund
from application.ordering.refunds import RefundView
from application.ports.dispute_views import DisputeRecord
from domain.ordering.dispute import DisputeNotAnswerable, EvidenceSubmitted
from domain.ordering.refund import RefundNotReturned, RefundSettled
from domain.shared.errors import NotAllowed, NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheDisputeViews, TheOrderViews, TheUnitOfWork


@get("/")
async def list_disputes(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    dispute_views: TheDisputeViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[DisputeRecord]:
    """Newest first. A store and a creator see those of orders that hold their own lines."""
    found = await dispute_reading.list_disputes(
        actor=actor,
        uow=uow,
        dispute_views=dispute_views,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return page_of(found, limit=limit, key=lambda dispute: dispute.id)


@get("/{dispute_id:uuid}", responses=errors(NotFound))
async def read_dispute(
    dispute_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    dispute_views: TheDisputeViews,
) -> Data[DisputeRecord]:
    """A dispute with its timeline, and the day until which the bank takes evidence."""
    return Data(
        await dispute_reading.show_dispute(
            dispute_id, actor=actor, uow=uow, dispute_views=dispute_views
        )
    )


@post(
    "/{dispute_id:uuid}/evidence",
    opt=idempotent(required=True),
    responses=errors(NotFound, EvidenceEmpty, EvidenceSubmitted, DisputeNotAnswerable),
)
async def submit_evidence(
    dispute_id: FromPath[UUID],
    data: JSONBody[SubmitEvidence],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    dispute_views: TheDisputeViews,
    clock: TheClock,
) -> Data[DisputeRecord]:
    """Answer the bank, once. For the stores that sold of the order, and administrators."""
    return Data(
        await dispute_evidence.submit_evidence(
            dispute_id, data, actor=actor, uow=uow, dispute_views=dispute_views, clock=clock
        )
    )


@get(
    "/{dispute_id:uuid}/evidence-pack",
    media_type="application/zip",
    responses=errors(NotFound),
)
async def read_evidence_pack(
    dispute_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    order_views: TheOrderViews,
    dispute_views: TheDisputeViews,
) -> Response[bytes]:
    """A ZIP archive of all that is known of the order: statement, deliveries, licence, refunds."""
    packed = await evidence_pack.evidence_pack(
        dispute_id, actor=actor, uow=uow, views=order_views, dispute_views=dispute_views
    )
    disposition = f'attachment; filename="dispute-{dispute_id}.zip"'
    return Response(
        packed, media_type="application/zip", headers={"Content-Disposition": disposition}
    )


@get("/{order_id:uuid}/disputes", responses=errors(NotFound))
async def list_order_disputes(
    order_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    order_views: TheOrderViews,
    dispute_views: TheDisputeViews,
) -> Data[list[DisputeRecord]]:
    """The order's disputes, oldest first."""
    return Data(
        await dispute_reading.list_order_disputes(
            order_id, actor=actor, uow=uow, views=order_views, dispute_views=dispute_views
        )
    )


@post(
    "/{refund_id:uuid}/settle",
    opt=idempotent(required=True),
    responses=errors(NotAllowed, NotFound, RefundNotReturned, RefundSettled),
)
async def settle_refund(
    refund_id: FromPath[UUID],
    data: JSONBody[SettleRefund],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[RefundView]:
    """Record that a buyer whose bank sent a refund back was paid in another way."""
    return Data(
        await provider_refunds.settle_refund(refund_id, data, actor=actor, uow=uow, clock=clock)
    )


ROUTER = Router(
    "/api/v1/disputes",
    route_handlers=[list_disputes, read_dispute, submit_evidence, read_evidence_pack],
    tags=["Disputes"],
)
ORDERS_ROUTER = Router("/api/v1/orders", route_handlers=[list_order_disputes], tags=["Disputes"])
REFUNDS_ROUTER = Router("/api/v1/admin/refunds", route_handlers=[settle_refund], tags=["Disputes"])
