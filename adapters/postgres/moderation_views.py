"""Cases as they are listed, and how much waits: straight from the tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.moderation import moderation_cases, moderation_judgements
from application.ports.moderation import CaseRow, ModerationDepth
from domain.moderation.case import WAITING, CaseState, SubjectKind

_COLUMNS = [moderation_cases.c[name] for name in CaseRow.__struct_fields__]


class PostgresModerationViews:
    """See `application.ports.moderation.ModerationViews`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def queue(
        self,
        *,
        state: CaseState | None,
        kind: SubjectKind | None,
        before: UUID | None,
        limit: int,
    ) -> list[CaseRow]:
        table = moderation_cases.c
        wanted = [table.state.in_(WAITING) if state is None else table.state == state]
        if kind is not None:
            wanted.append(table.subject_kind == kind)
        return await self._page(wanted, before, limit)

    async def of_owner(self, owner_id: UUID, *, before: UUID | None, limit: int) -> list[CaseRow]:
        return await self._page([moderation_cases.c.owner_id == owner_id], before, limit)

    async def depth(self, *, now: datetime) -> ModerationDepth:
        table = moderation_cases.c
        waiting = (
            select(table.category, func.count(), func.min(table.opened_at))
            .where(table.state.in_(WAITING))
            .group_by(table.category)
        )
        hard = select(func.count()).where(moderation_judgements.c.hard)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(waiting)).all()
            blocks = await connection.scalar(hard)
        oldest = min((opened for _, _, opened in rows), default=now)
        return ModerationDepth(
            waiting={str(category): count for category, count, _ in rows},
            oldest_age_s=max(0.0, (now - oldest).total_seconds()),
            hard_blocks=blocks or 0,
        )

    async def _page(
        self, wanted: list[ColumnElement[bool]], before: UUID | None, limit: int
    ) -> list[CaseRow]:
        statement = select(*_COLUMNS).where(*wanted)
        if before is not None:
            statement = statement.where(moderation_cases.c.id < before)
        statement = statement.order_by(moderation_cases.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [CaseRow(**row._mapping) for row in await connection.execute(statement)]
