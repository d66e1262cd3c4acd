"""Disputes of what was paid for credits and plans."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.shared.disputes import DisputeStatus, TimelineEntry
from domain.studio.contested import ChargeDispute

charge_disputes = Table(
    "charge_disputes",
    metadata,
    id_column(),
    text("provider_id"),
    Column("charge_id", ForeignKey("platform_charges.id"), nullable=False, index=True),
    Column("purchase_id", ForeignKey("credit_purchases.id"), nullable=True),
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
    Column("written_off", BigInteger, nullable=False),
    instant("due_by", nullable=True),
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
    CheckConstraint("written_off >= 0", name="written_off_not_negative"),
)

mappers.map_imperatively(ChargeDispute, charge_disputes)


class PostgresChargeDisputes(PostgresRepository[ChargeDispute]):
    """See `application.ports.credits.ChargeDisputes`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ChargeDispute, kind="dispute")

    async def by_provider_id(self, provider_id: str) -> ChargeDispute | None:
        return await self._one(
            select(ChargeDispute)
            .where(charge_disputes.c.provider_id == provider_id)
            .execution_options(populate_existing=True)
        )
