"""See `application.ports.dispute_views`."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from adapters.postgres.creators import creators
from adapters.postgres.disputes import disputes
from adapters.postgres.media import asset_accesses
from adapters.postgres.ordering import order_lines, orders
from adapters.postgres.views import Reader
from application.ports.dispute_views import AssetAccess, DisputeRecord, DisputeScope

_HELD = disputes.c.withdrawn_cents - disputes.c.reinstated_cents - disputes.c.lost_cents
_DISPUTE: Select[*tuple[Any, ...]] = select(
    *(
        disputes.c[name]
        for name in DisputeRecord.__struct_fields__
        if name not in {"contested_cents", "timeline"}
    ),
    disputes.c.timeline,
    _HELD.label("contested_cents"),
)


class PostgresDisputeViews(Reader):
    async def page(
        self, scope: DisputeScope, *, before: UUID | None, limit: int
    ) -> list[DisputeRecord]:
        found = _DISPUTE.where(_within(scope))
        if before is not None:
            found = found.where(disputes.c.id < before)
        return await self._records(found.order_by(disputes.c.id.desc()).limit(limit))

    async def one(self, dispute_id: UUID, scope: DisputeScope) -> DisputeRecord:
        found = _DISPUTE.where(disputes.c.id == dispute_id, _within(scope))
        return await self._one(found, DisputeRecord, missing="dispute")

    async def of_order(self, order_id: UUID) -> list[DisputeRecord]:
        found = _DISPUTE.where(disputes.c.order_id == order_id).order_by(disputes.c.id)
        return await self._records(found)

    async def accesses(self, order_id: UUID) -> list[AssetAccess]:
        bought = select(order_lines.c.asset_id).where(order_lines.c.order_id == order_id)
        return await self._all(
            select(asset_accesses.c.asset_id, asset_accesses.c.at)
            .join(
                orders,
                func.coalesce(orders.c.buyer_id, orders.c.id) == asset_accesses.c.user_id,
            )
            .where(orders.c.id == order_id, asset_accesses.c.asset_id.in_(bought))
            .order_by(asset_accesses.c.at),
            AssetAccess,
        )

    async def _records(self, statement: Select[*tuple[Any, ...]]) -> list[DisputeRecord]:
        return await self._all(statement, DisputeRecord)


def _within(scope: DisputeScope) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    mine: list[ColumnElement[bool]] = [order_lines.c.store_id.in_(scope.store_ids)]
    if scope.creator_user_id is not None:
        mine.append(creators.c.user_id == scope.creator_user_id)
    own = (
        select(order_lines.c.id)
        .join(creators, creators.c.id == order_lines.c.creator_id)
        .where(order_lines.c.order_id == disputes.c.order_id, or_(*mine))
    )
    return own.exists()
