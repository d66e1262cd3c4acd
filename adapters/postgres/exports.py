"""Reads the books by day for exports: keyset along the index of transactions by day.

Each batch is a statement of its own, so that a slow reader holds no connection and no snapshot.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from application.ports.documents import Cell
from application.ports.reporting import Span
from domain.reporting.export import ExportKind

_BATCH = 500
"""Transactions; each has a few rows."""
_FIRST = UUID(int=0)

# The last key of a batch is found first, and the rows are read up to it: what is posted in between
# can then neither push a row out of its batch nor come twice.
_LAST = sql("""
    SELECT posted_on, id FROM (
        SELECT posted_on, id FROM ledger_transactions
        WHERE posted_on >= :day AND posted_on < :until AND (posted_on, id) > (:day, :after)
        ORDER BY posted_on, id LIMIT :size
    ) batch ORDER BY posted_on DESC, id DESC LIMIT 1
    """)
_KEYS = """
    WITH batch AS MATERIALIZED (
        SELECT id, posted_on, occurred_at, effect_key, kind, order_id, currency
        FROM ledger_transactions
        WHERE posted_on >= :day AND (posted_on, id) > (:day, :after)
            AND posted_on <= :last_day AND (posted_on, id) <= (:last_day, :last)
    )
"""
_ENTRIES = (
    _KEYS  # noqa: S608 - made of constants of this module
    + """
    SELECT b.posted_on::text, b.occurred_at, b.id::text, e.position, b.effect_key, b.kind,
        b.order_id::text, e.account, e.payee_id::text, e.currency,
        CASE WHEN e.amount_cents < 0 THEN -e.amount_cents ELSE 0 END AS debit_cents,
        CASE WHEN e.amount_cents > 0 THEN e.amount_cents ELSE 0 END AS credit_cents,
        e.amount_cents
    FROM batch b
    JOIN ledger_entries e ON e.posted_on = b.posted_on AND e.transaction_id = b.id
    WHERE {wanted} AND (CAST(:payee_id AS uuid) IS NULL OR e.payee_id = :payee_id)
    ORDER BY b.posted_on, b.id, e.position
"""
)
_ORDERS = (
    _KEYS  # noqa: S608 - made of constants of this module
    + """
    SELECT b.posted_on::text, b.occurred_at, b.id::text, b.effect_key, l.order_id::text,
        l.id::text, l.store_id::text, l.creator_id::text, l.product_id::text, l.product_type,
        l.title, b.currency, l.quantity, l.unit_price_cents, l.discount_cents,
        l.platform_discount_cents, l.shipping_cents, l.tax_cents, l.total_cents, l.returned_cents
    FROM batch b JOIN order_lines l ON l.order_id = b.order_id
    WHERE b.kind = 'sale' AND (
        CAST(:payee_id AS uuid) IS NULL OR l.store_id = :payee_id OR l.creator_id = :payee_id)
    ORDER BY b.posted_on, b.id, l.position
"""
)
_STATEMENTS = {
    ExportKind.ORDERS: sql(_ORDERS),
    **{
        kind: sql(_ENTRIES.format(wanted=wanted))
        for kind, wanted in {
            ExportKind.ENTRIES: "true",
            ExportKind.PAYOUTS: "e.payee_id IS NOT NULL "
            "AND (b.kind IN ('transfer', 'reversal') OR b.kind LIKE 'payout%')",
            ExportKind.FEES: "e.account IN ('platform_revenue', 'processing_fees', "
            "'dispute_losses', 'promotions', 'write_offs')",
            ExportKind.TAX: "e.account = 'tax_payable'",
        }.items()
    },
}


class PostgresExportViews:
    """See `application.ports.exports.ExportViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def rows(
        self, kind: ExportKind, span: Span, *, payee_id: UUID | None
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        day, after = span.since, _FIRST
        while True:
            place = {"day": day, "after": after}
            async with self._engine.connect() as connection:
                bounds = place | {"until": span.until, "size": _BATCH}
                last = (await connection.execute(_LAST, bounds)).one_or_none()
                if last is None:
                    return
                bounds = place | {"last_day": last.posted_on, "last": last.id, "payee_id": payee_id}
                found = await connection.execute(_STATEMENTS[kind], bounds)
                batch = [tuple(row) for row in found]
            yield batch
            day, after = last.posted_on, last.id
