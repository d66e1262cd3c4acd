"""Payees' tax profiles, with what is personal encrypted, and what was filed of them."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.encrypted import encrypted
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from application.ports.tax import PayeePayment
from domain.reporting.tax_profile import (
    Certificate,
    EntityType,
    TaxFiling,
    TaxProfile,
    TinMatch,
)

tax_profiles = Table(
    "tax_profiles",
    metadata,
    Column("id", ForeignKey("payees.id"), primary_key=True),
    encrypted("legal_name"),
    enum_text("entity_type", EntityType),
    encrypted("tin_reference", nullable=True),
    enum_text("tin_match", TinMatch),
    encrypted("address"),
    text("state", nullable=True),
    text("country"),
    enum_text("certificate", Certificate, nullable=True),
    Column("certified_on", Date, nullable=True),
    Column("backup_withholding", Boolean, nullable=False),
    instant("updated_at"),
    Column("version", Integer, nullable=False),
)

tax_filings = Table(
    "tax_filings",
    metadata,
    id_column(),
    Column("payee_id", ForeignKey("payees.id"), nullable=False),
    text("form"),
    text("box"),
    Column("year", Integer, nullable=False),
    text("content_hash"),
    cents("gross_cents"),
    Column("correction", Boolean, nullable=False),
    instant("filed_at"),
    Index(
        "uq_tax_filings_original",
        "payee_id",
        "form",
        "box",
        "year",
        unique=True,
        postgresql_where=sql("NOT correction"),
    ),
    Index(None, "payee_id", "form", "year", "id"),
)

mappers.map_imperatively(TaxProfile, tax_profiles, version_id_col=tax_profiles.c.version)
mappers.map_imperatively(TaxFiling, tax_filings)


class PostgresTaxProfiles(PostgresRepository[TaxProfile]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, TaxProfile, kind="tax profile")

    async def find(self, payee_id: UUID) -> TaxProfile | None:
        return await self._session.get(TaxProfile, payee_id)


class PostgresTaxFilings(PostgresRepository[TaxFiling]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, TaxFiling, kind="tax filing")

    async def of_payees(
        self, payee_ids: Sequence[UUID], *, form: str, year: int
    ) -> list[TaxFiling]:
        return await self._many(
            select(TaxFiling)
            .where(tax_filings.c.payee_id.in_(payee_ids))
            .where(tax_filings.c.form == form, tax_filings.c.year == year)
            .order_by(tax_filings.c.id)
        )


# A creator's gross is its royalty. A store's is all that was paid for its lines but tax and the
# royalties, which are others' gross: its fees, production and shipping are told beside it.
_PAYMENTS = sql("""
    WITH paid AS MATERIALIZED (
        SELECT id, charge_id, extract(month FROM paid_at AT TIME ZONE 'UTC')::int AS month
        FROM orders
        WHERE payment_status = 'paid' AND currency = 'usd'
            AND paid_at >= make_timestamptz(:year, 1, 1, 0, 0, 0, 'UTC')
            AND paid_at < make_timestamptz(:year + 1, 1, 1, 0, 0, 0, 'UTC')
    ), legs AS (
        SELECT p.id AS order_id, p.charge_id, p.month, l.store_id, l.total_cents,
            l.returned_cents, leg.kind, leg.payee_id, leg.amount_cents
        FROM paid p JOIN order_lines l ON l.order_id = p.id
        CROSS JOIN LATERAL jsonb_to_recordset(l.legs)
            AS leg (kind text, payee_id uuid, amount_cents bigint)
    ), parts AS (
        SELECT order_id, charge_id, month, payee_id, 'royalty' AS nature,
            amount_cents AS gross, 0::bigint AS fees
        FROM legs WHERE kind = 'royalty'
        UNION ALL
        SELECT order_id, charge_id, month, store_id, 'sale',
            CASE WHEN kind IN ('royalty', 'tax') THEN 0 ELSE amount_cents END,
            CASE WHEN kind IN ('platform_fee', 'production_cost', 'shipping')
                THEN amount_cents ELSE 0 END
        FROM legs
    ), refunded AS (
        SELECT t.order_id, e.payee_id, -sum(e.amount_cents)::bigint AS refunds
        FROM ledger_transactions t
        JOIN ledger_entries e ON e.posted_on = t.posted_on AND e.transaction_id = t.id
        WHERE t.kind = 'refund' AND e.payee_id IS NOT NULL
            AND t.order_id IN (SELECT id FROM paid)
        GROUP BY t.order_id, e.payee_id
    )
    SELECT p.payee_id, p.month, p.nature, 'sale:' || p.charge_id AS source,
        sum(p.gross)::bigint AS gross_cents, sum(p.fees)::bigint AS fees_cents,
        coalesce(max(r.refunds), 0)::bigint AS refunds_cents
    FROM parts p
    LEFT JOIN refunded r ON r.order_id = p.order_id AND r.payee_id = p.payee_id
    GROUP BY p.payee_id, p.order_id, p.charge_id, p.month, p.nature
    HAVING sum(p.gross) > 0
    ORDER BY p.payee_id, p.month, p.order_id
    """)


class PostgresTaxViews:
    """See `application.ports.tax.TaxViews`. One snapshot, read through a cursor."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def payments(self, year: int) -> AsyncIterator[PayeePayment]:
        async with (
            self._engine.connect() as connection,
            connection.stream(_PAYMENTS, {"year": year}) as rows,
        ):
            async for row in rows:
                yield PayeePayment(**row._mapping)
