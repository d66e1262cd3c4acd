"""Invoices and credit notes, and the series that number them.

A trigger of the migrations refuses a paper whose number is not the series' last, and any change
of one that is written.
"""

from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ordering.invoice import Invoice, InvoiceKind, InvoiceLine, Party

invoice_series = Table(
    "invoice_series",
    metadata,
    enum_text("kind", InvoiceKind),
    Column("year", Integer, nullable=False, autoincrement=False),
    Column("last_number", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "year"),
    CheckConstraint("last_number > 0", name="from_one"),
)

invoices = Table(
    "invoices",
    metadata,
    id_column(),
    enum_text("kind", InvoiceKind),
    Column("year", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    text("number"),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("refund_id", ForeignKey("refunds.id"), nullable=True),
    Column("dispute_id", ForeignKey("disputes.id"), nullable=True),
    text("corrects", nullable=True),
    text("currency"),
    json_of("seller", Party),
    json_of("buyer", Party),
    json_of("lines", tuple[InvoiceLine, ...]),
    cents("net_cents"),
    cents("tax_cents"),
    cents("total_cents"),
    instant("paid_at"),
    instant("issued_at"),
    UniqueConstraint("kind", "year", "sequence"),
    UniqueConstraint("number"),
    UniqueConstraint("refund_id"),
    UniqueConstraint("dispute_id"),
    CheckConstraint(
        "total_cents = net_cents + tax_cents AND net_cents >= 0 AND tax_cents >= 0", name="adds_up"
    ),
    CheckConstraint(
        "num_nonnulls(refund_id, dispute_id) = CASE kind WHEN 'invoice' THEN 0 ELSE 1 END "
        "AND (kind = 'invoice') = (corrects IS NULL)",
        name="credited_for_one_cause",
    ),
    Index(
        "uq_invoices_invoiced_order",
        "order_id",
        unique=True,
        postgresql_where=sql("kind = 'invoice'"),
    ),
    Index("ix_invoices_order_id", "order_id"),
)

mappers.map_imperatively(Invoice, invoices)


class PostgresInvoices(PostgresRepository[Invoice]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Invoice, kind="invoice")

    async def next_in_series(self, kind: InvoiceKind, year: int) -> int:
        taken = await self._session.execute(
            insert(invoice_series)
            .values(kind=kind, year=year, last_number=1)
            .on_conflict_do_update(
                index_elements=["kind", "year"],
                set_={"last_number": invoice_series.c.last_number + 1},
            )
            .returning(invoice_series.c.last_number)
        )
        return int(taken.scalar_one())

    async def of_order(self, order_id: UUID) -> Invoice | None:
        return await self._one(
            select(Invoice).where(
                invoices.c.order_id == order_id, invoices.c.kind == InvoiceKind.INVOICE
            )
        )

    async def credit_notes(self, order_id: UUID) -> list[Invoice]:
        return await self._many(
            select(Invoice)
            .where(invoices.c.order_id == order_id, invoices.c.kind == InvoiceKind.CREDIT_NOTE)
            .order_by(invoices.c.year, invoices.c.sequence)
        )
