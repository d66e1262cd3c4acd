"""Kept decisions, straight from the tables."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.postgres.creators import licence_terms
from adapters.postgres.ordering import order_lines
from adapters.postgres.studio import licence_decisions
from application.ports.decisions import Kept
from domain.licensing.record import DecisionRecord

_FIRST = UUID(int=0)


class PostgresDecisionViews:
    """See `application.ports.decisions.DecisionViews`."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        engine: AsyncEngine,
        *,
        batch: int = 1_000,
    ) -> None:
        self._sessions = sessions
        self._snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
        self._batch = batch

    async def of_creator(
        self, creator_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[DecisionRecord]:
        columns = licence_decisions.c
        statement = (
            select(DecisionRecord)
            .where(columns.creator_id == creator_id)
            .order_by(columns.decided_at.desc(), columns.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(tuple_(columns.decided_at, columns.id) < before)
        async with self._sessions() as session:
            return (await session.scalars(statement)).all()

    async def all(self) -> AsyncIterator[Sequence[Kept]]:
        statement = (
            select(DecisionRecord, licence_terms.c.terms, order_lines.c.decision)
            .join(licence_terms, licence_terms.c.id == licence_decisions.c.terms_id)
            .outerjoin(order_lines, order_lines.c.id == licence_decisions.c.subject_id)
            .order_by(licence_decisions.c.id)
            .limit(self._batch)
        )
        async with AsyncSession(self._snapshot) as session:
            after = _FIRST
            while True:
                page = statement.where(licence_decisions.c.id > after)
                rows = (await session.execute(page)).all()
                if not rows:
                    return
                after = rows[-1][0].id
                yield [Kept(*row) for row in rows]
                session.expunge_all()
