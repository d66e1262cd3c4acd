"""What administrators read of reconciliations."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.reconciliation import reconciliation_differences, reconciliation_runs
from application.ports.reconciliation import DifferenceRecord, RunRecord
from domain.ledger.reconciliation import DifferenceState
from domain.shared.errors import NotFound

_RUN = reconciliation_runs.c
_DIFFERENCE = reconciliation_differences.c


class PostgresReconciliationViews:
    """See `application.ports.reconciliation.ReconciliationViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def runs(self, *, before: date | None, limit: int) -> list[RunRecord]:
        statement = _runs().order_by(_RUN.day.desc()).limit(limit)
        if before is not None:
            statement = statement.where(_RUN.day < before)
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement)
            return [RunRecord(**row._mapping) for row in rows]

    async def run(self, run_id: UUID) -> RunRecord:
        async with self._engine.connect() as connection:
            row = (await connection.execute(_runs().where(_RUN.id == run_id))).one_or_none()
        if row is None:
            raise NotFound("reconciliation", run_id)
        return RunRecord(**row._mapping)

    async def differences(
        self, run_id: UUID, *, state: DifferenceState | None, after: UUID | None, limit: int
    ) -> list[DifferenceRecord]:
        statement = select(reconciliation_differences).where(_DIFFERENCE.run_id == run_id)
        if state is not None:
            statement = statement.where(_DIFFERENCE.state == state)
        if after is not None:
            statement = statement.where(_DIFFERENCE.id > after)
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement.order_by(_DIFFERENCE.id).limit(limit))
            return [_difference(row) for row in rows]


def _runs() -> Select[Any]:
    open_here = (
        select(func.count())
        .where(_DIFFERENCE.run_id == _RUN.id, _DIFFERENCE.state == DifferenceState.OPEN)
        .scalar_subquery()
    )
    return select(
        _RUN.id,
        _RUN.day,
        _RUN.phase,
        _RUN.attempt,
        _RUN.their_count,
        _RUN.our_count,
        _RUN.pending_count.label("pending"),
        open_here.label("differences"),
        _RUN.started_at,
        _RUN.finished_at,
    )


def _difference(row: Any) -> DifferenceRecord:
    return DifferenceRecord(
        kind=f"{row.movement}_{row.fault}",
        difference_cents=(row.their_cents or 0) - (row.our_cents or 0),
        **row._mapping,
    )
