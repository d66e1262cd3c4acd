"""Wallets, their entries, what is held for jobs, and what was used on each day.

A wallet's row is locked while it changes and moves on by one conditional UPDATE. Entries are
numbered per wallet and carry what is there after them: triggers check each against the one before
it, and each wallet against its last entry.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    CursorResult,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Uuid,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.jobs import jobs
from adapters.postgres.metadata import instant, mappers, metadata, text
from application.ports.credits import EntryRow, PaymentRow, UseOfDay
from application.ports.repository import StaleVersion
from domain.studio.contested import Freeze
from domain.studio.credits import CreditEntry, CreditKind, Hold, Wallet


def _count(name: str, *constraints: CheckConstraint) -> Column[int]:
    return Column(name, BigInteger, *constraints, nullable=False)


def _never_negative(name: str) -> Column[int]:
    return _count(name, CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative"))


credit_wallets = Table(
    "credit_wallets",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("day", Date, nullable=True),
    _never_negative("granted"),
    _never_negative("daily"),
    _never_negative("bought"),
    _never_negative("held"),
    _never_negative("frozen"),
    _count("number"),
    Index("ix_credit_wallets_lapsing", "day", postgresql_where=sql("daily > 0")),
)

credit_entries = Table(
    "credit_entries",
    metadata,
    Column("user_id", Uuid, nullable=False),
    _count("number"),
    enum_text("kind", CreditKind),
    instant("at"),
    _count("daily"),
    _count("bought"),
    _count("held"),
    _count("frozen"),
    _count("spent"),
    _count("lapsed"),
    _never_negative("daily_after"),
    _never_negative("bought_after"),
    _never_negative("held_after"),
    _never_negative("frozen_after"),
    Column("job_id", Uuid, nullable=True),
    Column("round", Integer, nullable=True),
    Column("day", Date, nullable=True),
    Column("granted_up_to", BigInteger, nullable=True),
    Column("purchase_id", Uuid, nullable=True),
    text("reason", nullable=True),
    PrimaryKeyConstraint("user_id", "number"),
    CheckConstraint(
        "daily + bought + held + frozen + spent + lapsed = CASE kind"
        " WHEN 'grant' THEN daily WHEN 'purchase' THEN bought WHEN 'refund' THEN bought"
        " WHEN 'adjust' THEN bought ELSE 0 END",
        name="nothing_from_nowhere",
    ),
    CheckConstraint("spent >= 0 AND lapsed >= 0", name="used_up"),
    CheckConstraint(
        "(kind IN ('reserve', 'settle', 'release')) = (num_nonnulls(job_id, round) = 2)",
        name="of_a_job",
    ),
    CheckConstraint("(kind IN ('grant', 'expire')) = (day IS NOT NULL)", name="of_a_day"),
    CheckConstraint(
        "(kind IN ('purchase', 'refund', 'freeze', 'thaw', 'forfeit')) = (purchase_id IS NOT NULL)",
        name="of_a_purchase",
    ),
    Index(
        "uq_credit_entries_job",
        "job_id",
        "round",
        "kind",
        unique=True,
        postgresql_where=sql("job_id IS NOT NULL"),
    ),
    Index(
        "uq_credit_entries_closed_once",
        "job_id",
        "round",
        unique=True,
        postgresql_where=sql("kind IN ('settle', 'release')"),
    ),
    Index(
        "uq_credit_entries_granted_once",
        "user_id",
        "day",
        "granted_up_to",
        unique=True,
        postgresql_where=sql("kind = 'grant'"),
    ),
    Index(
        "uq_credit_entries_lapsed_once",
        "user_id",
        "day",
        unique=True,
        postgresql_where=sql("kind = 'expire'"),
    ),
    Index(
        "uq_credit_entries_bought_once",
        "purchase_id",
        unique=True,
        postgresql_where=sql("kind = 'purchase'"),
    ),
)

credit_holds = Table(
    "credit_holds",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("round", Integer, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    _never_negative("daily"),
    _never_negative("bought"),
    Column("price_table", Integer, nullable=False),
    instant("reserved_at"),
    instant("closed_at", nullable=True),
    Column("spent", BigInteger, nullable=True),
    PrimaryKeyConstraint("job_id", "round"),
    CheckConstraint("(closed_at IS NULL) = (spent IS NULL)", name="closed_at_a_price"),
    CheckConstraint("spent BETWEEN 0 AND daily + bought", name="never_above_the_hold"),
    Index("ix_credit_holds_open", "reserved_at", postgresql_where=sql("closed_at IS NULL")),
)

credit_freezes = Table(
    "credit_freezes",
    metadata,
    Column("dispute_id", ForeignKey("charge_disputes.id"), primary_key=True),
    Column("purchase_id", ForeignKey("credit_purchases.id"), nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    _never_negative("credits"),
    _never_negative("frozen"),
    instant("opened_at"),
    instant("ended_at", nullable=True),
    CheckConstraint("frozen <= credits", name="never_above_the_contested"),
    Index("ix_credit_freezes_open", "wallet_id", postgresql_where=sql("ended_at IS NULL")),
)

studio_use = Table(
    "studio_use",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    _never_negative("jobs"),
    _never_negative("credits"),
    _never_negative("bytes"),
    PrimaryKeyConstraint("user_id", "day"),
)

mappers.map_imperatively(Hold, credit_holds)
mappers.map_imperatively(Freeze, credit_freezes)

_STATE = ("day", "granted", "daily", "bought", "held", "frozen", "number")
_ENTRY = tuple(column.name for column in credit_entries.columns)
# Built once: each of these is part of every request for work.
_LOCKED = (
    select(*(credit_wallets.c[name] for name in _STATE))
    .where(credit_wallets.c.user_id == bindparam("the_user_id"))
    .with_for_update()
)
_SAVED = (
    update(credit_wallets)
    .where(
        credit_wallets.c.user_id == bindparam("the_user_id"),
        credit_wallets.c.number == bindparam("before"),
    )
    .values({name: bindparam(name) for name in _STATE})
)
_WRITTEN = insert(credit_entries)
_USED = insert(studio_use)
_COUNTED = _USED.on_conflict_do_update(
    index_elements=["user_id", "day"],
    set_={name: studio_use.c[name] + _USED.excluded[name] for name in ("jobs", "credits", "bytes")},
)


class PostgresCredits:
    """See `application.ports.credits.Credits`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def wallet(self, user_id: UUID) -> Wallet:
        await self._session.flush()
        while (found := await self._locked(user_id)) is None:
            await self._session.execute(
                insert(credit_wallets)
                .values(user_id=user_id, **dict.fromkeys(_STATE[1:], 0))
                .on_conflict_do_nothing()
            )
        return found

    async def save(self, wallet: Wallet) -> None:
        if not wallet.fresh:
            return
        before = wallet.fresh[0].number - 1
        state = {name: getattr(wallet, name) for name in _STATE}
        moved = await self._session.execute(
            _SAVED, {**state, "the_user_id": wallet.user_id, "before": before}
        )
        if cast("CursorResult[Any]", moved).rowcount != 1:
            raise StaleVersion("It was changed meanwhile: load it again.")
        await self._session.execute(_WRITTEN, [_row(entry) for entry in wallet.fresh])
        wallet.fresh.clear()

    async def hold(self, job_id: UUID, round: int) -> Hold | None:
        await self._session.flush()
        return await self._session.get(Hold, (job_id, round), populate_existing=True)

    def add_hold(self, hold: Hold) -> None:
        self._session.add(hold)

    async def freeze(self, dispute_id: UUID) -> Freeze | None:
        await self._session.flush()
        return await self._session.get(Freeze, dispute_id, populate_existing=True)

    def add_freeze(self, freeze: Freeze) -> None:
        self._session.add(freeze)

    async def open_freezes(self, wallet_id: UUID) -> Sequence[Freeze]:
        await self._session.flush()
        found = await self._session.scalars(
            select(Freeze)
            .where(credit_freezes.c.wallet_id == wallet_id, credit_freezes.c.ended_at.is_(None))
            .order_by(credit_freezes.c.opened_at, credit_freezes.c.dispute_id)
            .execution_options(populate_existing=True)
        )
        return found.all()

    async def abandoned(self, *, ended_before: datetime, limit: int) -> Sequence[tuple[UUID, int]]:
        holds = credit_holds.c
        found = await self._session.execute(
            select(holds.job_id, holds.round)
            .join_from(credit_holds, jobs, jobs.c.id == holds.job_id, isouter=True)
            .where(
                holds.closed_at.is_(None),
                holds.reserved_at < ended_before,
                or_(
                    jobs.c.id.is_(None),
                    jobs.c.round > holds.round,
                    jobs.c.finished_at < ended_before,
                ),
            )
            .order_by(holds.reserved_at)
            .limit(limit)
        )
        return [(row.job_id, row.round) for row in found]

    async def lapsed(self, *, today: date, limit: int) -> Sequence[UUID]:
        wallets = credit_wallets.c
        found = await self._session.scalars(
            select(wallets.user_id)
            .where(wallets.day < today, wallets.daily > 0)
            .order_by(wallets.day)
            .limit(limit)
        )
        return found.all()

    async def _locked(self, user_id: UUID) -> Wallet | None:
        found = await self._session.execute(_LOCKED, {"the_user_id": user_id})
        row = found.one_or_none()
        return None if row is None else Wallet(user_id=user_id, **row._mapping)


class PostgresStudioUse:
    """See `application.ports.credits.StudioUse`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count(
        self, user_id: UUID, day: date, *, jobs: int = 0, credits: int = 0, stored_bytes: int = 0
    ) -> None:
        await self._session.execute(
            _COUNTED,
            {
                "user_id": user_id,
                "day": day,
                "jobs": jobs,
                "credits": credits,
                "bytes": stored_bytes,
            },
        )


def _row(entry: CreditEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in _ENTRY}


_ENTRIES = sql("""
    SELECT number, kind, daily + bought AS credits, held, frozen, spent, lapsed,
        daily_after + bought_after AS balance_after, held_after, job_id, purchase_id, reason, at
    FROM credit_entries WHERE user_id = :user_id AND number < :before
    ORDER BY number DESC LIMIT :limit
    """)

_USE = sql("""
    SELECT day, jobs, credits, bytes FROM studio_use
    WHERE user_id = :user_id AND day BETWEEN :first AND :last ORDER BY day
    """)

_PAYMENTS = sql("""
    SELECT c.id, c.kind, c.amount_cents, c.tax_cents, c.refunded_cents, c.contested_cents,
        c.currency, c.purchase_id, p.credits, c.paid_at
    FROM platform_charges c LEFT JOIN credit_purchases p ON p.id = c.purchase_id
    WHERE c.user_id = :user_id AND (CAST(:at AS timestamptz) IS NULL
        OR (c.paid_at, c.id) < (CAST(:at AS timestamptz), CAST(:id AS text)))
    ORDER BY c.paid_at DESC, c.id DESC LIMIT :limit
    """)

_NO_NUMBER = 2**62


class PostgresCreditViews:
    """See `application.ports.credits.CreditViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def entries(self, user_id: UUID, *, before: int | None, limit: int) -> Sequence[EntryRow]:
        position = _NO_NUMBER if before is None else before
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                _ENTRIES, {"user_id": user_id, "before": position, "limit": limit}
            )
            return [msgspec.convert(dict(row._mapping), EntryRow) for row in rows]

    async def payments(
        self, user_id: UUID, *, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[PaymentRow]:
        at, charge_id = before or (None, None)
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                _PAYMENTS, {"user_id": user_id, "at": at, "id": charge_id, "limit": limit}
            )
            return [msgspec.convert(dict(row._mapping), PaymentRow) for row in rows]

    async def use(self, user_id: UUID, *, first: date, last: date) -> Sequence[UseOfDay]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                _USE, {"user_id": user_id, "first": first, "last": last}
            )
            return [UseOfDay(**row._mapping) for row in rows]
