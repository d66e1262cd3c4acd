"""Disputes: what the provider told of them, and what was booked."""

from uuid import UUID

from sqlalchemy import (
    Boolean,
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
from domain.ordering.dispute import Dispute, EvidenceState
from domain.shared.disputes import DisputeStatus, TimelineEntry

disputes = Table(
    "disputes",
    metadata,
    id_column(),
    text("provider_id"),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    text("charge_id"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    text("currency"),
    text("reason"),
    enum_text("status", DisputeStatus),
    Column("is_open", Boolean, nullable=False),
    cents("withdrawn_cents"),
    cents("fee_cents"),
    cents("reinstated_cents"),
    cents("returned_fee_cents"),
    cents("lost_cents"),
    instant("due_by", nullable=True),
    json_of("evidence", dict[str, str], nullable=True),
    enum_text("evidence_state", EvidenceState),
    Column("evidence_attempt", Integer, nullable=False),
    Column("evidence_by", Uuid, nullable=True),
    text("evidence_error", nullable=True),
    json_of("timeline", tuple[TimelineEntry, ...]),
    instant("created_at"),
    instant("closed_at", nullable=True),
    UniqueConstraint("provider_id"),
    CheckConstraint(
        "0 <= reinstated_cents AND 0 <= lost_cents "
        "AND reinstated_cents + lost_cents <= withdrawn_cents",
        name="decided_within_withdrawn",
    ),
    CheckConstraint(
        "0 <= returned_fee_cents AND returned_fee_cents <= fee_cents", name="fee_returned_once"
    ),
    CheckConstraint(
        "is_open OR reinstated_cents + lost_cents = withdrawn_cents", name="closed_is_decided"
    ),
    CheckConstraint("is_open = (closed_at IS NULL)", name="open_until_closed"),
    Index(None, "order_id"),
    Index("ix_disputes_open", "order_id", postgresql_where=sql("is_open")),
)

mappers.map_imperatively(Dispute, disputes)


class PostgresDisputes(PostgresRepository[Dispute]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Dispute, kind="dispute")

    async def of_order(self, order_id: UUID) -> list[Dispute]:
        return await self._many(
            select(Dispute)
            .where(disputes.c.order_id == order_id)
            .order_by(disputes.c.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
