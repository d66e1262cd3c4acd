"""Plans: what a user has, the pages where it begins and is changed, and what was used."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from application.billing import payments, plans
from application.billing.payments import DocumentLink
from application.billing.plans import OpenPortal, PortalOpened, Subscribe, SubscriptionView
from application.billing.purchases import PageOpened
from application.ports.credits import PaymentRow, UseOfDay
from application.studio import credit_accounts
from application.studio.credit_accounts import SpanInvalid
from domain.shared.errors import NotFound
from domain.studio.subscribing import AlreadySubscribed, CheckoutPending, PlanNotSold
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheBilling,
    TheClock,
    TheCreditViews,
    TheIds,
    TheUnitOfWork,
)

FromDay = Annotated[
    date | None, QueryParameter(name="from", description="The first day (UTC): 30 days ago.")
]
ToDay = Annotated[date | None, QueryParameter(name="to", description="The last day (UTC): today.")]


@get("/subscription")
async def read_subscription(
    actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[SubscriptionView]:
    """The plan that you have now and what it allows, and the plans on offer."""
    return Data(await plans.read_subscription(actor=actor, uow=uow, clock=clock))


@post(
    "/checkout",
    opt=idempotent(required=True),
    responses=errors(PlanNotSold, AlreadySubscribed, CheckoutPending, 502, 503),
)
async def start_subscription(
    data: JSONBody[Subscribe],
    request: Request[Any, Any, Any],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    billing: TheBilling,
    clock: TheClock,
    ids: TheIds,
) -> Data[PageOpened]:
    """The page where a subscription begins. Who has one changes it in the portal."""
    return Data(
        await plans.start_subscription(
            data,
            request_key=request.headers["idempotency-key"],
            actor=actor,
            uow=uow,
            billing=billing,
            clock=clock,
            ids=ids,
        )
    )


@post("/portal", responses=errors(502, 503))
async def open_portal(
    data: JSONBody[OpenPortal],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    billing: TheBilling,
    clock: TheClock,
) -> Data[PortalOpened]:
    """The provider's page where plan and card are changed, and a plan is cancelled."""
    return Data(await plans.open_portal(data, actor=actor, uow=uow, billing=billing, clock=clock))


@get("/usage", responses=errors(SpanInvalid))
async def read_usage(
    actor: CurrentActor,
    credit_views: TheCreditViews,
    clock: TheClock,
    since: FromDay = None,
    through: ToDay = None,
) -> Data[Sequence[UseOfDay]]:
    """Jobs started, credits spent and bytes stored, day by day; days without any are left out."""
    return Data(
        await credit_accounts.read_use(
            actor=actor, since=since, through=through, views=credit_views, clock=clock
        )
    )


@get("/payments")
async def list_payments(
    actor: CurrentActor,
    credit_views: TheCreditViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[PaymentRow]:
    """What you have paid for credits and plans, newest first, each with its tax."""
    rows = await payments.list_payments(
        actor=actor,
        before=read_cursor(cursor, tuple[datetime, str]),
        limit=limit + 1,
        views=credit_views,
    )
    return page_of(rows, limit=limit, key=lambda row: (row.paid_at, row.id))


@get("/payments/{charge_id:str}/document", responses=errors(NotFound, 502, 503))
async def link_document(
    charge_id: FromPath[str], actor: CurrentActor, uow: TheUnitOfWork, billing: TheBilling
) -> Data[DocumentLink]:
    """Where the invoice of a plan, or the receipt of credits, is looked at and downloaded."""
    return Data(await payments.link_document(charge_id, actor=actor, uow=uow, billing=billing))


ROUTER = Router(
    "/api/v1/billing",
    route_handlers=[
        read_subscription,
        start_subscription,
        open_portal,
        read_usage,
        list_payments,
        link_document,
    ],
    tags=["Billing"],
)
