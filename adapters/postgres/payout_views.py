"""Payouts as they are shown, whom a day pays, and which days are done."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    and_,
    exists,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.ledger import payee_balances
from adapters.postgres.payouts import payout_days, payout_settings, payouts
from adapters.postgres.views import Reader
from application.ports.payouts import Candidate, PayoutRecord
from domain.ledger.payout_settings import PayoutMethod


class PostgresPayoutViews(Reader):
    """See `application.ports.payouts.PayoutViews`."""

    async def of_payee(
        self, payee_id: UUID, *, before: UUID | None, limit: int
    ) -> list[PayoutRecord]:
        shown = [payouts.c[name] for name in PayoutRecord.__struct_fields__ if name != "automatic"]
        listed = (
            select(*shown, payouts.c.payout_day.is_not(None).label("automatic"))
            .where(payouts.c.payee_id == payee_id)
            .order_by(payouts.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            listed = listed.where(payouts.c.id < before)
        return await self._all(listed, PayoutRecord)

    async def candidates(
        self, day: date, *, method: PayoutMethod, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        had = exists().where(
            payouts.c.payee_id == payee_balances.c.payee_id,
            payouts.c.currency == payee_balances.c.currency,
            payouts.c.payout_day == day,
        )
        found = (
            select(payee_balances.c.payee_id, payee_balances.c.currency)
            .join(payout_settings, payout_settings.c.id == payee_balances.c.payee_id)
            .where(
                and_(
                    payout_settings.c.method == method, sql("payout_settings.schedule <> 'manual'")
                ),
                payee_balances.c.available_cents > 0,
                ~had,
            )
            .order_by(payee_balances.c.payee_id, payee_balances.c.currency)
            .limit(limit)
        )
        if after is not None:
            found = found.where(
                tuple_(payee_balances.c.payee_id, payee_balances.c.currency)
                > tuple_(after.payee_id, after.currency)
            )
        return [Candidate(**row) for row in await self._rows(found)]


class PostgresPayoutDays:
    """See `application.ports.payouts.PayoutDays`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def is_done(self, day: date) -> bool:
        async with self._engine.connect() as connection:
            found = await connection.scalar(
                select(payout_days.c.day).where(payout_days.c.day == day)
            )
        return found is not None

    async def finish(self, day: date, *, at: datetime, payouts: int) -> None:
        row = insert(payout_days).values(day=day, finished_at=at, payouts=payouts)
        async with self._engine.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())
