"""Months, closed days, seals and checkpoints of the books.

Closed is what `ledger_closings` says: the trigger on entries refuses a day up to it, and the
function `ledger_close` waits for whoever is posting. Seals and closings are append-only by trigger,
as the postings are; checkpoints can be computed again from postings at any time.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.metadata import cents, instant, metadata, text
from application.ports.ledger_upkeep import MonthsMade
from application.ports.ledger_views import AccountTotal
from domain.ledger.seal import Seal
from domain.shared.errors import Conflict

ledger_closings = Table(
    "ledger_closings",
    metadata,
    Column("through", Date, primary_key=True),
    instant("closed_at"),
)

ledger_seals = Table(
    "ledger_seals",
    metadata,
    Column(
        "number",
        Integer,
        CheckConstraint("number > 0", name="number_positive"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("day", Date, nullable=False),
    text("previous_hash"),
    text("digest"),
    Column(
        "transactions",
        BigInteger,
        CheckConstraint("transactions > 0", name="transactions_positive"),
        nullable=False,
    ),
    Column("entries", BigInteger, nullable=False),
    Column("volumes", JSONB, nullable=False),
    text("hash"),
    instant("sealed_at"),
    UniqueConstraint("day"),
    UniqueConstraint("previous_hash"),
)

ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("through", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    cents("total_cents"),
)

_points = ledger_checkpoints.c
CHECKPOINT = (
    select(_points.account, _points.currency, _points.entries, _points.total_cents)
    .where(_points.through == bindparam("through"))
    .order_by(_points.currency, _points.account)
)

_MISSING_MONTHS = sql("""
    SELECT month FROM (
        SELECT generate_series(
            date_trunc('month', CAST(:first AS timestamp)),
            date_trunc('month', CAST(:first AS timestamp)) + make_interval(months => :months),
            interval '1 month'
        )::date AS month
        UNION
        SELECT DISTINCT date_trunc('month', posted_on)::date FROM ledger_entries_unplaced
    ) AS wanted
    WHERE to_regclass('ledger_entries_' || to_char(month, 'YYYY_MM')) IS NULL
    ORDER BY month
    """)
_MAKE_MONTH = sql("SELECT ledger_make_month(:month)")
_CLOSE = sql("SELECT ledger_close(:through, :at)")
_UNSEALED = sql("""
    WITH RECURSIVE posted (day) AS (
        SELECT min(posted_on) FROM ledger_transactions
        WHERE posted_on > coalesce((SELECT max(day) FROM ledger_seals), '-infinity')
        UNION ALL
        SELECT (SELECT min(t.posted_on) FROM ledger_transactions t WHERE t.posted_on > posted.day)
        FROM posted WHERE posted.day IS NOT NULL
    )
    SELECT day FROM posted WHERE day <= (SELECT max(through) FROM ledger_closings) LIMIT :limit
    """)
_LOCK_NOT_AVAILABLE = "55P03"


class LedgerBusy(Conflict):
    """The books are being posted to without a pause: closing a day found no moment."""

    code = "ledger_busy"


class PostgresLedgerUpkeep:
    """See `application.ports.ledger_upkeep.LedgerUpkeep`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def make_months(self, *, ahead_of: date, months: int) -> MonthsMade:
        missing = await self._write(_MISSING_MONTHS, first=ahead_of, months=months)
        made = [(await self._write(_MAKE_MONTH, month=row.month))[0][0] for row in missing]
        placed = [count for count in made if count is not None]
        return MonthsMade(months=len(placed), unplaced=sum(placed))

    async def close(self, through: date, *, at: datetime) -> date:
        closed: date = (await self._write(_CLOSE, through=through, at=at))[0][0]
        return closed

    async def unsealed(self, *, limit: int) -> list[date]:
        async with self._engine.connect() as connection:
            return list((await connection.scalars(_UNSEALED, {"limit": limit})).all())

    async def last_seal(self) -> Seal | None:
        last = select(ledger_seals).order_by(ledger_seals.c.number.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(last)).one_or_none()
        return seal_of(row) if row else None

    async def checkpoint(self, through: date | None) -> list[AccountTotal]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(CHECKPOINT, {"through": through})
            return [AccountTotal(**row) for row in rows.mappings()]

    async def keep(self, seal: Seal, totals: Sequence[AccountTotal], *, at: datetime) -> None:
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(ledger_seals), seal_row(seal, at=at))
                await connection.execute(insert(ledger_checkpoints), _rows(seal.day, totals))

    async def replace_checkpoint(self, through: date, totals: Sequence[AccountTotal]) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(
                ledger_checkpoints.delete().where(ledger_checkpoints.c.through == through)
            )
            await connection.execute(insert(ledger_checkpoints), _rows(through, totals))

    async def _write(self, statement: Any, **parameters: object) -> Sequence[Any]:
        try:
            async with self._engine.begin() as connection:
                return (await connection.execute(statement, parameters)).all()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise LedgerBusy("The books are busy: it is tried again soon.") from error
            raise


def seal_of(row: Any) -> Seal:
    return Seal(
        number=row.number,
        day=row.day,
        previous_hash=row.previous_hash,
        digest=row.digest,
        transactions=row.transactions,
        entries=row.entries,
        volumes=row.volumes,
    )


def seal_row(seal: Seal, *, at: datetime) -> dict[str, Any]:
    return {
        "number": seal.number,
        "day": seal.day,
        "previous_hash": seal.previous_hash,
        "digest": seal.digest,
        "transactions": seal.transactions,
        "entries": seal.entries,
        "volumes": dict(seal.volumes),
        "hash": seal.hash,
        "sealed_at": at,
    }


def _rows(through: date, totals: Sequence[AccountTotal]) -> list[dict[str, Any]]:
    return [
        {
            "through": through,
            "account": total.account,
            "currency": total.currency,
            "entries": total.entries,
            "total_cents": total.total_cents,
        }
        for total in totals
    ]
