"""A unit of work over one SQLAlchemy session: one connection, one transaction."""

from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from application.ports.clock import Clock
from application.ports.ids import Ids


class PostgresUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], *, clock: Clock, ids: Ids
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._ids = ids

    async def __aenter__(self) -> Self:
        self._session = self._sessions()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def commit(self) -> None:
        with translated():
            await self._session.commit()
