"""Reconciliation's tables: the runs, what they found, and a copy of what the provider moved."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ledger.reconciliation import (
    Difference,
    DifferenceState,
    Fault,
    Moved,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
)

provider_movements = Table(
    "provider_movements",
    metadata,
    Column("id", Text, primary_key=True),
    enum_text("movement", Movement, primary_key=True),
    text("source"),
    Column("our_id", Uuid, nullable=True),
    cents("amount_cents"),
    text("currency"),
    instant("at"),
    Index(None, "movement", "source"),
    Index(None, "at", "id", "movement"),
)

reconciliation_runs = Table(
    "reconciliation_runs",
    metadata,
    id_column(),
    Column("day", Date, nullable=False),
    enum_text("phase", Phase),
    text("cursor", nullable=True),
    Column("attempt", Integer, nullable=False),
    Column("their_count", Integer, nullable=False),
    Column("our_count", Integer, nullable=False),
    Column("pending_count", Integer, nullable=False),
    instant("started_at"),
    instant("finished_at", nullable=True),
    UniqueConstraint("day"),
    CheckConstraint("(phase = 'done') = (finished_at IS NOT NULL)", name="done_is_finished"),
)

reconciliation_differences = Table(
    "reconciliation_differences",
    metadata,
    id_column(),
    Column("run_id", ForeignKey("reconciliation_runs.id"), nullable=False),
    enum_text("movement", Movement),
    text("source"),
    text("currency"),
    enum_text("fault", Fault),
    Column("our_id", Uuid, nullable=True),
    text("effect_key", nullable=True),
    Column("our_cents", BigInteger, nullable=True),
    Column("their_cents", BigInteger, nullable=True),
    text("sentence"),
    enum_text("state", DifferenceState),
    instant("first_seen_at"),
    instant("last_seen_at"),
    instant("resolved_at", nullable=True),
    instant("explained_at", nullable=True),
    Column("explained_by", Uuid, nullable=True),
    text("explanation", nullable=True),
    UniqueConstraint("movement", "source", "currency"),
    CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_when"),
    CheckConstraint(
        "state <> 'explained' OR (explained_by IS NOT NULL AND explanation IS NOT NULL)",
        name="explained_by_somebody",
    ),
    Index(None, "run_id", "id"),
    Index(
        "ix_reconciliation_differences_unresolved",
        "id",
        postgresql_where=sql("state <> 'resolved'"),
    ),
)

mappers.map_imperatively(ReconciliationRun, reconciliation_runs)
mappers.map_imperatively(Difference, reconciliation_differences)


class PostgresReconciliationRuns(PostgresRepository[ReconciliationRun]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ReconciliationRun, kind="reconciliation")

    async def of_day(self, day: date, *, lock: bool = False) -> ReconciliationRun | None:
        statement = select(ReconciliationRun).where(reconciliation_runs.c.day == day)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return await self._one(statement)

    async def latest(self) -> ReconciliationRun | None:
        return await self._one(
            select(ReconciliationRun).order_by(reconciliation_runs.c.day.desc()).limit(1)
        )


class PostgresDifferences(PostgresRepository[Difference]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Difference, kind="difference")

    async def about(self, subjects: Collection[Subject]) -> list[Difference]:
        columns = reconciliation_differences.c
        keys = [(str(movement), source, currency) for movement, source, currency in subjects]
        if not keys:
            return []
        key = tuple_(columns.movement, columns.source, columns.currency)
        return await self._many(select(Difference).where(key.in_(keys)))

    async def unresolved(self, *, after: UUID | None, limit: int) -> list[Difference]:
        columns = reconciliation_differences.c
        statement = select(Difference).where(sql("state <> 'resolved'"))
        if after is not None:
            statement = statement.where(columns.id > after)
        return await self._many(statement.order_by(columns.id).limit(limit))


class PostgresProviderMovements:
    """See `application.ports.reconciliation.ProviderMovements`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def keep(self, moved: Sequence[Moved]) -> None:
        if not moved:
            return
        rows = [
            {
                "id": one.id,
                "movement": one.movement,
                "source": one.source,
                "our_id": one.our_id,
                "amount_cents": one.amount_cents,
                "currency": one.currency,
                "at": one.at,
            }
            for one in moved
        ]
        await self._session.execute(insert(provider_movements).on_conflict_do_nothing(), rows)
