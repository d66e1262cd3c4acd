"""Payees and what their accounts may do."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint, and_, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ledger.payee import Payee, PayeeKind

payees = Table(
    "payees",
    metadata,
    id_column(),
    enum_text("kind", PayeeKind),
    text("account_id", nullable=True),
    Column("transfers_active", Boolean, nullable=False),
    Column("payouts_enabled", Boolean, nullable=False),
    text("disabled_reason", nullable=True),
    json_of("currently_due", tuple[str, ...]),
    json_of("past_due", tuple[str, ...]),
    instant("refreshed_at", nullable=True),
    Column("version", Integer, nullable=False),
    UniqueConstraint("account_id"),
    Index(
        "ix_payees_asked",
        sql("refreshed_at NULLS FIRST"),
        postgresql_where=sql("account_id IS NOT NULL"),
    ),
)

CAN_BE_PAID = and_(
    payees.c.transfers_active, payees.c.payouts_enabled, payees.c.disabled_reason.is_(None)
)
"""`Payee.can_be_paid`, for statements that look at many."""

mappers.map_imperatively(Payee, payees, version_id_col=payees.c.version)


class PostgresPayees(PostgresRepository[Payee]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Payee, kind="payee")

    async def by_account(self, account_id: str) -> Payee | None:
        return await self._one(
            select(Payee).where(payees.c.account_id == account_id).with_for_update(key_share=True)
        )

    async def many(self, payee_ids: Collection[UUID]) -> list[Payee]:
        return await self._many(select(Payee).where(payees.c.id.in_(payee_ids)))

    async def stale(
        self, *, unready_before: datetime, ready_before: datetime, limit: int
    ) -> list[str]:
        asked_at = payees.c.refreshed_at
        found = await self._session.scalars(
            select(payees.c.account_id)
            .where(payees.c.account_id.is_not(None))
            .where(
                asked_at.is_(None)
                | (asked_at < ready_before)
                | ((asked_at < unready_before) & ~CAN_BE_PAID)
            )
            .order_by(asked_at.nulls_first())
            .limit(limit)
        )
        return [account_id for account_id in found if account_id]
