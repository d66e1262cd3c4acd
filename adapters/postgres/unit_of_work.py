"""A unit of work over one SQLAlchemy session: one connection, one transaction."""

from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.identity import PostgresSessions, PostgresUsers
from adapters.postgres.media import PostgresAssets
from adapters.postgres.messages import PostgresOutbox
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import Wake


class PostgresUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Clock,
        ids: Ids,
        wake: Wake | None = None,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._ids = ids
        self._wake = wake

    async def __aenter__(self) -> Self:
        self._session = self._sessions()
        self.users = PostgresUsers(self._session)
        self.sessions = PostgresSessions(self._session)
        self.assets = PostgresAssets(self._session)
        self.outbox = PostgresOutbox(clock=self._clock, ids=self._ids)
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
            added = await self.outbox.flush(self._session)
            await self._session.commit()
        if added and self._wake is not None:
            self._wake.wake()
