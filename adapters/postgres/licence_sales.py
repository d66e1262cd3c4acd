"""What was sold under a creator's licence."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.ordering import order_lines, orders
from domain.ordering.order import PaymentStatus


class PostgresSold:
    """See `application.ports.licensing.Sold`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def call_in(self, creator_id: UUID, *, up_to_version: int, at: datetime) -> list[UUID]:
        wanted = (
            select(orders.c.id)
            .where(
                orders.c.payment_status.in_([PaymentStatus.UNPAID, PaymentStatus.PROCESSING]),
                orders.c.id.in_(
                    select(order_lines.c.order_id).where(
                        order_lines.c.creator_id == creator_id,
                        order_lines.c.terms_version <= up_to_version,
                    )
                ),
            )
            .order_by(orders.c.id)
            .with_for_update()
        )
        ids = list((await self._session.scalars(wanted)).all())
        if ids:
            await self._session.execute(
                update(orders)
                .where(orders.c.id.in_(ids), orders.c.expires_at > at)
                .values(expires_at=at, reconcile_at=at)
            )
        return ids

    async def paid(
        self, creator_id: UUID, *, up_to_version: int, after: UUID | None, limit: int
    ) -> list[UUID]:
        found = (
            select(order_lines.c.order_id)
            .join(orders, orders.c.id == order_lines.c.order_id)
            .where(
                order_lines.c.creator_id == creator_id,
                order_lines.c.terms_version <= up_to_version,
                orders.c.payment_status == PaymentStatus.PAID,
            )
            .distinct()
            .order_by(order_lines.c.order_id)
            .limit(limit)
        )
        if after is not None:
            found = found.where(order_lines.c.order_id > after)
        return list((await self._session.scalars(found)).all())
