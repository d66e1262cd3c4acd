"""Refunds: intents, and what became of them."""

from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ordering.refund import LineRefund, Refund, RefundStatus

refunds = Table(
    "refunds",
    metadata,
    id_column(),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    text("request_key"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    text("currency"),
    text("reason"),
    json_of("lines", tuple[LineRefund, ...]),
    enum_text("status", RefundStatus),
    Column("attempt", Integer, nullable=False),
    text("provider_id", nullable=True),
    text("failure_reason", nullable=True),
    Column("requested_by", Uuid, nullable=True),
    instant("created_at"),
    instant("ended_at", nullable=True),
    text("settlement", nullable=True),
    instant("settled_at", nullable=True),
    UniqueConstraint("order_id", "request_key"),
    UniqueConstraint("provider_id"),
    CheckConstraint(
        "(settlement IS NULL) = (settled_at IS NULL) "
        "AND (settlement IS NULL OR status = 'returned')",
        name="settled_was_returned",
    ),
    Index("ix_refunds_open", "order_id", postgresql_where=sql("status = 'pending'")),
)

mappers.map_imperatively(Refund, refunds)


class PostgresRefunds(PostgresRepository[Refund]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Refund, kind="refund")

    async def by_request_key(self, order_id: UUID, request_key: str) -> Refund | None:
        return await self._one(
            select(Refund).where(
                refunds.c.order_id == order_id, refunds.c.request_key == request_key
            )
        )

    async def by_provider_id(self, provider_id: str) -> Refund | None:
        return await self._one(select(Refund).where(refunds.c.provider_id == provider_id))
