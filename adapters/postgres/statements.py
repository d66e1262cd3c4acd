"""Reads of one payee's postings, along the index of entries by payee."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, func, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.ledger import ledger_entries, ledger_transactions, payee_balances
from adapters.postgres.ordering import order_lines
from adapters.postgres.views import Reader
from application.ports.reporting import (
    AccountMovement,
    EntryKey,
    PayeeEntry,
    SoldLine,
    Span,
)

_E, _T = ledger_entries.c, ledger_transactions.c
_POSTED = ledger_entries.join(ledger_transactions, _T.id == _E.transaction_id)
_PLACE = (_E.posted_on, _E.transaction_id, _E.position)


class PostgresStatementViews(Reader):
    """See `application.ports.reporting.StatementViews`."""

    async def currency_of(self, payee_id: UUID) -> str | None:
        rows = await self._rows(
            select(payee_balances.c.currency)
            .where(payee_balances.c.payee_id == payee_id)
            .order_by(payee_balances.c.lifetime_cents.desc(), payee_balances.c.currency)
            .limit(1)
        )
        return rows[0]["currency"] if rows else None

    async def movements(
        self, payee_id: UUID, *, currency: str, span: Span
    ) -> Sequence[AccountMovement]:
        earlier = _E.posted_on < span.since
        summed = func.sum(_E.amount_cents)
        return await self._all(
            select(
                _E.account,
                _T.kind,
                func.coalesce(summed.filter(earlier), 0).cast(BigInteger).label("before_cents"),
                func.coalesce(summed.filter(~earlier), 0).cast(BigInteger).label("within_cents"),
            )
            .select_from(_POSTED)
            .where(_E.payee_id == payee_id, _E.currency == currency)
            .where(_E.posted_on < span.until)
            .group_by(_E.account, _T.kind)
            .order_by(_E.account, _T.kind),
            AccountMovement,
        )

    async def entries(
        self, payee_id: UUID, *, currency: str, span: Span, after: EntryKey | None, limit: int
    ) -> Sequence[PayeeEntry]:
        wanted = (
            select(
                *_PLACE,
                _T.occurred_at,
                _T.kind,
                _T.effect_key,
                _T.order_id,
                _E.account,
                _E.amount_cents,
            )
            .select_from(_POSTED)
            .where(_E.payee_id == payee_id, _E.currency == currency)
            .where(_E.posted_on >= span.since, _E.posted_on < span.until)
            .order_by(*_PLACE)
            .limit(limit)
        )
        if after is not None:
            # The first comparison lets the index start where the page does.
            wanted = wanted.where(_E.posted_on >= after.posted_on, tuple_(*_PLACE) > after)
        return await self._all(wanted, PayeeEntry)

    async def sold(self, order_ids: Collection[UUID], *, payee_id: UUID) -> Sequence[SoldLine]:
        if not order_ids:
            return []
        return await self._all(
            select(
                order_lines.c.order_id,
                order_lines.c.id.label("line_id"),
                order_lines.c.title,
                order_lines.c.quantity,
                order_lines.c.legs,
            )
            .where(order_lines.c.order_id.in_(order_ids))
            .where(order_lines.c.legs.cast(JSONB).contains([{"payee_id": str(payee_id)}]))
            .order_by(order_lines.c.order_id, order_lines.c.position),
            SoldLine,
        )
