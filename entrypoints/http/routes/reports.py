"""Figures: a store's dashboard, a creator's analytics, the platform's revenue."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from application.ports.reports import Period, RevenueBy
from application.reporting import dashboards, revenue
from application.reporting.dashboards import CreatorAnalytics, ReportQuery, StoreDashboard
from application.reporting.revenue import RevenueQuery, RevenueReport
from application.reporting.spans import PeriodInvalid
from domain.identity.actor import RoleRequired
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.parameters import (
    CurrencyCode,
    TheClock,
    TheReportViews,
    TheStatementViews,
    TheUnitOfWork,
)

FirstDay = Annotated[
    date | None,
    QueryParameter(name="from", description="First day, in UTC; thirty days before `to`."),
]
EndDay = Annotated[
    date | None,
    QueryParameter(name="to", description="The first day that is not included; tomorrow, in UTC."),
]


@get("/stores/{store_id:uuid}/dashboard", responses=errors(NotFound, PeriodInvalid))
async def read_store_dashboard(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    report_views: TheReportViews,
    statement_views: TheStatementViews,
    since: FirstDay = None,
    until: EndDay = None,
    period: FromQuery[Period] = Period.DAY,
    currency: CurrencyCode = None,
) -> Data[StoreDashboard]:
    """What a store sold, by period, and its ten products of the highest gross. Who may see the
    store's money also reads what it earned and what went back. At most 366 days."""
    query = ReportQuery(since=since, until=until, period=period, currency=currency)
    return Data(
        await dashboards.store_dashboard(
            store_id,
            query,
            actor=actor,
            uow=uow,
            views=report_views,
            statements=statement_views,
            clock=clock,
        )
    )


@get("/creators/analytics", responses=errors(NotFound, PeriodInvalid))
async def read_creator_analytics(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    report_views: TheReportViews,
    statement_views: TheStatementViews,
    since: FirstDay = None,
    until: EndDay = None,
    period: FromQuery[Period] = Period.DAY,
    currency: CurrencyCode = None,
) -> Data[CreatorAnalytics]:
    """The caller's royalties by period, store and product, with what refunds and disputes took
    back. At most 366 days."""
    query = ReportQuery(since=since, until=until, period=period, currency=currency)
    return Data(
        await dashboards.creator_analytics(
            query,
            actor=actor,
            uow=uow,
            views=report_views,
            statements=statement_views,
            clock=clock,
        )
    )


@get("/admin/reports/revenue", responses=errors(RoleRequired, PeriodInvalid))
async def read_revenue(
    actor: CurrentActor,
    clock: TheClock,
    report_views: TheReportViews,
    by: FromQuery[RevenueBy] = RevenueBy.PERIOD,
    since: FirstDay = None,
    until: EndDay = None,
    period: FromQuery[Period] = Period.DAY,
    currency: CurrencyCode = None,
) -> Data[RevenueReport]:
    """What the platform earned in fees, and of which sales, by creator, store, period or kind of
    product. `period` counts for `by=period`. At most 92 days."""
    query = RevenueQuery(by=by, since=since, until=until, period=period, currency=currency or "usd")
    return Data(await revenue.revenue_report(query, actor=actor, views=report_views, clock=clock))


ROUTER = Router(
    "/api/v1",
    route_handlers=[read_store_dashboard, read_creator_analytics, read_revenue],
    tags=["Reports"],
)
