"""Subscriptions to plans, as the payment provider last told them."""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    bindparam,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.studio.plans import ENDED, Interval, PlanName, PlanSubscription, SubscriptionStatus

_STANDING = f"status NOT IN ({', '.join(sorted(repr(str(status)) for status in ENDED))})"

plan_subscriptions = Table(
    "plan_subscriptions",
    metadata,
    id_column(),
    Column("user_id", Uuid, nullable=False),
    text("provider_id"),
    enum_text("plan", PlanName),
    Column("plan_version", Integer, nullable=False),
    enum_text("interval", Interval),
    enum_text("status", SubscriptionStatus),
    instant("period_start"),
    instant("period_end"),
    Column("cancel_at_period_end", Boolean, nullable=False),
    instant("past_due_since", nullable=True),
    instant("forfeited_at", nullable=True),
    Column("heard", Integer, nullable=False),
    instant("refresh_at"),
    instant("created_at"),
    instant("updated_at"),
    CheckConstraint("plan <> 'free'", name="of_what_is_sold"),
    UniqueConstraint("provider_id"),
    CheckConstraint(
        "(status = 'past_due') = (past_due_since IS NOT NULL)", name="past_due_since_when"
    ),
    Index("ix_plan_subscriptions_refresh", "refresh_at", postgresql_where=sql(_STANDING)),
    Index("ix_plan_subscriptions_standing", "user_id", postgresql_where=sql(_STANDING)),
)

mappers.map_imperatively(PlanSubscription, plan_subscriptions)


_OF_USER = (
    select(PlanSubscription)
    .where(
        plan_subscriptions.c.user_id == bindparam("user_id"),
        plan_subscriptions.c.status.not_in(ENDED),
    )
    .order_by(plan_subscriptions.c.id)
)


class PostgresPlanSubscriptions(PostgresRepository[PlanSubscription]):
    """See `application.ports.credits.PlanSubscriptions`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, PlanSubscription, kind="subscription")

    async def standing(self, user_id: UUID) -> Sequence[PlanSubscription]:
        return await self._many(_OF_USER, user_id=user_id)

    async def by_provider_id(
        self, provider_id: str, *, lock: bool = False
    ) -> PlanSubscription | None:
        found = select(PlanSubscription).where(plan_subscriptions.c.provider_id == provider_id)
        if lock:
            found = found.with_for_update().execution_options(populate_existing=True)
        return await self._one(found)

    async def ended(self, provider_ids: Collection[str]) -> Set[str]:
        found = await self._session.scalars(
            select(plan_subscriptions.c.provider_id).where(
                plan_subscriptions.c.provider_id.in_(list(provider_ids)),
                plan_subscriptions.c.status.in_(ENDED),
            )
        )
        return set(found)

    async def claim_refreshable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        due = (
            select(plan_subscriptions.c.id)
            .where(
                plan_subscriptions.c.refresh_at <= now, plan_subscriptions.c.status.not_in(ENDED)
            )
            .order_by(plan_subscriptions.c.refresh_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.scalars(
            update(plan_subscriptions)
            .where(plan_subscriptions.c.id.in_(due))
            .values(refresh_at=again_at)
            .returning(plan_subscriptions.c.provider_id)
            .execution_options(synchronize_session=False)
        )
        return claimed.all()
