"""Figures of some days, from what was posted on them.

A payee's sales and returns are found along the index of entries by payee and day, the platform's
along that of transactions by day; both then go to the few lines of each order. So the cost grows
with what was sold in the span, never with what was ever sold.

A sale's posting is the sum of the frozen legs of its lines. What a refund or dispute took from a
party is one amount for the order: it is divided over the lines that the party had a part of, in
proportion to what was refunded of each (a dispute: to its parts), so that the shares add up to
what was posted, cent for cent.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from application.ports.reporting import Span
from application.ports.reports import (
    Period,
    PeriodMovement,
    PeriodSales,
    ProductSales,
    RevenueBy,
    RevenueRow,
    RoyaltySource,
)

_TRADE = "('sale', 'refund', 'dispute_opened', 'dispute_won', 'dispute_lost')"
_BUCKET = "greatest(date_trunc(:period, f.posted_on::timestamp)::date, CAST(:since AS date))"

_OF_PAYEE = f"""
    SELECT t.id, t.posted_on, t.kind, t.effect_key, t.order_id
    FROM (
        SELECT DISTINCT posted_on, transaction_id FROM ledger_entries
        WHERE payee_id = :payee_id AND currency = :currency
            AND posted_on >= :since AND posted_on < :until
    ) e JOIN ledger_transactions t ON t.posted_on = e.posted_on AND t.id = e.transaction_id
    WHERE t.posted_on >= :since AND t.posted_on < :until AND t.kind IN {_TRADE}
"""  # noqa: S608 - made of constants of this module
_OF_ALL = f"""
    SELECT t.id, t.posted_on, t.kind, t.effect_key, t.order_id
    FROM ledger_transactions t
    WHERE t.posted_on >= :since AND t.posted_on < :until
        AND t.currency = :currency AND t.kind IN {_TRADE}
"""  # noqa: S608 - made of constants of this module

# `facts` has a row for each line that was sold, and one for each part of a line that went back:
# amounts of those are below zero, and `given_cents` is what the party gave.
_FACTS = """
    WITH posted AS MATERIALIZED ({posted}),
    given AS (
        SELECT t.id, t.posted_on, t.kind, t.order_id, r.lines AS refunded,
            coalesce(e.payee_id::text, e.account) AS party, sum(e.amount_cents) AS cents
        FROM posted t
        JOIN ledger_entries e ON e.posted_on = t.posted_on AND e.transaction_id = t.id
        LEFT JOIN refunds r ON r.id = CASE
            WHEN t.kind = 'refund' THEN CAST(substr(t.effect_key, 8) AS uuid) END
        WHERE t.kind <> 'sale' AND {party}
        GROUP BY t.id, t.posted_on, t.kind, t.order_id, r.lines, party
        HAVING sum(e.amount_cents) <> 0
    ), weighed AS (
        SELECT g.*, l.store_id, l.creator_id, l.product_id, l.product_type, l.position,
            leg.kind AS part,
            leg.amount_cents * CASE WHEN g.kind = 'refund' THEN coalesce((
                SELECT sum(CAST(part ->> 'amount_cents' AS numeric))
                FROM jsonb_array_elements(g.refunded) part
                WHERE part ->> 'line_id' = l.id::text
            ), 0) / l.total_cents ELSE 1 END AS weight
        FROM given g
        JOIN order_lines l ON l.order_id = g.order_id
        CROSS JOIN LATERAL jsonb_to_recordset(l.legs)
            AS leg (kind text, payee_id uuid, amount_cents numeric)
        WHERE l.total_cents > 0 AND g.party = coalesce(leg.payee_id::text, CASE leg.kind
            WHEN 'platform_fee' THEN 'platform_revenue'
            WHEN 'production_cost' THEN 'production_cost_payable'
            WHEN 'tax' THEN 'tax_payable' ELSE leg.kind END)
    ), summed AS (
        SELECT w.*, sum(weight) OVER so_far AS upto,
            sum(weight) OVER (PARTITION BY id, party) AS total
        FROM weighed w
        WINDOW so_far AS (
            PARTITION BY id, party ORDER BY position, part
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
    ), returned AS (
        SELECT s.*,
            round(cents * upto / total) - round(cents * (upto - weight) / total) AS share
        FROM summed s WHERE total > 0
    ), facts AS (
        SELECT t.kind, t.posted_on, t.order_id, l.store_id, l.creator_id, l.product_id,
            l.product_type, l.quantity AS pieces,
            l.unit_price_cents * l.quantity AS gross_cents, l.discount_cents,
            l.shipping_cents, l.tax_cents, legs.royalty_cents, legs.fee_cents, legs.revenue_cents,
            0 AS given_cents
        FROM posted t JOIN order_lines l ON l.order_id = t.order_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_cents) FILTER (WHERE kind = 'royalty' AND {royalty}), 0)
                    AS royalty_cents,
                coalesce(sum(amount_cents) FILTER (WHERE kind = 'platform_fee'), 0) AS fee_cents,
                coalesce(sum(amount_cents) FILTER (WHERE kind = 'store_revenue'), 0)
                    AS revenue_cents
            FROM jsonb_to_recordset(l.legs)
                AS leg (kind text, payee_id uuid, amount_cents bigint)
        ) legs
        WHERE t.kind = 'sale'
        UNION ALL
        SELECT kind, posted_on, order_id, store_id, creator_id, product_id, product_type,
            0, 0, 0, 0, 0,
            CASE WHEN part = 'royalty' THEN share ELSE 0 END,
            CASE WHEN part = 'platform_fee' THEN share ELSE 0 END,
            CASE WHEN part = 'store_revenue' THEN share ELSE 0 END,
            -share
        FROM returned
    )
"""
_PARTIES = (
    "(e.payee_id IS NOT NULL OR e.account IN "
    "('platform_revenue', 'production_cost_payable', 'shipping', 'tax_payable'))"
)
_STORES = _FACTS.format(posted=_OF_PAYEE, party=_PARTIES, royalty="true")
_CREATORS = _FACTS.format(
    posted=_OF_PAYEE, party="e.payee_id = :payee_id", royalty="leg.payee_id = :payee_id"
)
_PLATFORMS = _FACTS.format(posted=_OF_ALL, party=_PARTIES, royalty="true")

_MOVEMENTS = sql(f"""
    SELECT {_BUCKET} AS starts_on, f.kind, sum(f.amount_cents)::bigint AS amount_cents
    FROM (
        SELECT e.posted_on, t.kind, e.amount_cents
        FROM ledger_entries e
        JOIN ledger_transactions t ON t.posted_on = e.posted_on AND t.id = e.transaction_id
        WHERE e.payee_id = :payee_id AND e.currency = :currency
            AND e.posted_on >= :since AND e.posted_on < :until
            AND t.posted_on >= :since AND t.posted_on < :until
            AND (t.kind IN {_TRADE} OR t.kind IN ('processing_fee', 'guarantee', 'write_off'))
    ) f
    GROUP BY 1, 2 HAVING sum(f.amount_cents) <> 0 ORDER BY 1, 2
    """)  # noqa: S608 - made of constants of this module

_SALES = """
    count(DISTINCT f.order_id) FILTER (WHERE f.kind = 'sale') AS orders,
    coalesce(sum(f.pieces), 0)::bigint AS pieces,
    coalesce(sum(f.gross_cents), 0)::bigint AS gross_cents,
    coalesce(sum(f.discount_cents), 0)::bigint AS discounts_cents
"""
_STORE_SALES = sql(f"""
    {_STORES}
    SELECT {_BUCKET} AS starts_on, {_SALES}, sum(f.royalty_cents)::bigint AS royalties_cents
    FROM facts f WHERE f.store_id = :payee_id GROUP BY 1 ORDER BY 1
    """)  # noqa: S608 - made of constants of this module
_STORE_PRODUCTS = sql(f"""
    {_STORES}
    SELECT f.product_id, p.title, {_SALES}, sum(f.revenue_cents)::bigint AS revenue_cents
    FROM facts f JOIN products p ON p.id = f.product_id
    WHERE f.store_id = :payee_id
    GROUP BY f.product_id, p.title HAVING sum(f.pieces) > 0
    ORDER BY sum(f.gross_cents) DESC, f.product_id LIMIT :limit
    """)  # noqa: S608 - made of constants of this module
_ROYALTIES = {
    named: sql(f"""
    {_CREATORS}
    SELECT n.id, n.{name} AS name,
        count(DISTINCT f.order_id) FILTER (WHERE f.kind = 'sale') AS orders,
        sum(f.pieces)::bigint AS pieces,
        coalesce(sum(f.royalty_cents) FILTER (WHERE f.kind = 'sale'), 0)::bigint AS earned_cents,
        sum(f.given_cents)::bigint AS returned_cents,
        sum(f.royalty_cents)::bigint AS net_cents
    FROM facts f JOIN {named} n ON n.id = f.{key}
    WHERE f.royalty_cents <> 0
    GROUP BY n.id ORDER BY sum(f.royalty_cents) DESC, n.id LIMIT :limit
    """)  # noqa: S608 - made of constants of this module
    for named, key, name in (("stores", "store_id", "name"), ("products", "product_id", "title"))
}
_KEYS = {
    RevenueBy.CREATOR: "f.creator_id::text",
    RevenueBy.STORE: "f.store_id::text",
    RevenueBy.KIND: "f.product_type",
    RevenueBy.PERIOD: f"{_BUCKET}::text",
}


def _revenue(by: RevenueBy) -> TextClause:
    order = "key" if by is RevenueBy.PERIOD else "platform_fees_cents DESC, key"
    return sql(f"""
    {_PLATFORMS}
    SELECT key, {_SALES},
        coalesce(sum(f.shipping_cents), 0)::bigint AS shipping_cents,
        coalesce(sum(f.tax_cents), 0)::bigint AS tax_cents,
        coalesce(sum(f.royalty_cents) FILTER (WHERE f.kind = 'sale'), 0)::bigint
            AS royalties_cents,
        coalesce(sum(f.fee_cents) FILTER (WHERE f.kind = 'sale'), 0)::bigint
            AS platform_fees_cents,
        coalesce(sum(f.given_cents) FILTER (WHERE f.kind = 'refund'), 0)::bigint
            AS refunds_cents,
        coalesce(sum(f.given_cents) FILTER (WHERE f.kind LIKE 'dispute%'), 0)::bigint
            AS disputes_cents,
        coalesce(sum(f.fee_cents), 0)::bigint AS platform_fees_net_cents
    FROM (SELECT f.*, {_KEYS[by]} AS key FROM facts f) f
    GROUP BY GROUPING SETS ((), (key))
    ORDER BY key IS NOT NULL, {order} LIMIT :limit
    """)  # noqa: S608 - made of constants of this module


_REVENUE = {by: _revenue(by) for by in RevenueBy}


class PostgresReportViews:
    """See `application.ports.reports.ReportViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def movements(
        self, payee_id: UUID, *, currency: str, span: Span, period: Period
    ) -> Sequence[PeriodMovement]:
        asked = _asked(span, currency, payee_id=payee_id, period=period)
        return [PeriodMovement(**row) for row in await self._rows(_MOVEMENTS, asked)]

    async def store_sales(
        self, store_id: UUID, *, currency: str, span: Span, period: Period
    ) -> Sequence[PeriodSales]:
        asked = _asked(span, currency, payee_id=store_id, period=period)
        return [PeriodSales(**row) for row in await self._rows(_STORE_SALES, asked)]

    async def store_products(
        self, store_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[ProductSales]:
        asked = _asked(span, currency, payee_id=store_id, limit=limit)
        return [ProductSales(**row) for row in await self._rows(_STORE_PRODUCTS, asked)]

    async def royalties_by_store(
        self, creator_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[RoyaltySource]:
        asked = _asked(span, currency, payee_id=creator_id, limit=limit)
        return [RoyaltySource(**row) for row in await self._rows(_ROYALTIES["stores"], asked)]

    async def royalties_by_product(
        self, creator_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[RoyaltySource]:
        asked = _asked(span, currency, payee_id=creator_id, limit=limit)
        return [RoyaltySource(**row) for row in await self._rows(_ROYALTIES["products"], asked)]

    async def revenue(
        self, by: RevenueBy, *, currency: str, span: Span, period: Period, limit: int
    ) -> Sequence[RevenueRow]:
        asked = _asked(span, currency, limit=limit + 1)
        if by is RevenueBy.PERIOD:
            asked["period"] = str(period)
        return [RevenueRow(**row) for row in await self._rows(_REVENUE[by], asked)]

    async def _rows(self, statement: TextClause, asked: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(statement, asked)).mappings()]


def _asked(span: Span, currency: str, **more: Any) -> dict[str, Any]:
    known = {"since": span.since, "until": span.until, "currency": currency}
    return known | {name: str(v) if isinstance(v, Period) else v for name, v in more.items()}
