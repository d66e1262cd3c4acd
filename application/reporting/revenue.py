"""What the platform earned, for administrators: fees, with what was sold and what went back."""

from datetime import date

import msgspec

from application.ports.clock import Clock
from application.ports.reports import Period, ReportViews, RevenueBy, RevenueRow
from application.reporting.spans import report_span
from domain.identity.actor import Actor, Role

DAYS_MAX = 92
ROWS_MAX = 400


class RevenueQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the first day, `until` the first that is not included (UTC); at most 92 days."""

    by: RevenueBy = RevenueBy.PERIOD
    since: date | None = None
    until: date | None = None
    period: Period = Period.DAY
    currency: str = "usd"


class RevenueReport(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is of everything; `rows` are at most 400, the highest fees first, periods in their
    order. Days on which nothing was sold or went back have no row."""

    by: RevenueBy
    currency: str
    since: date
    until: date
    total: RevenueRow
    rows: list[RevenueRow]


async def revenue_report(
    query: RevenueQuery, *, actor: Actor, views: ReportViews, clock: Clock
) -> RevenueReport:
    """Raises RoleRequired, PeriodInvalid."""
    actor.require(Role.ADMIN)
    span = report_span(query.since, query.until, now=clock.now(), days_max=DAYS_MAX)
    total, *rows = await views.revenue(
        query.by, currency=query.currency, span=span, period=query.period, limit=ROWS_MAX
    )
    return RevenueReport(
        by=query.by,
        currency=query.currency,
        since=span.since,
        until=span.until,
        total=total,
        rows=rows,
    )
