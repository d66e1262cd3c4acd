"""One repository for all imperatively mapped aggregates; contexts add their own finders."""

from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from domain.shared.errors import NotFound

A = TypeVar("A")


class PostgresRepository(Generic[A]):
    """Loads by identity from the session, which tracks changes and saves them at commit."""

    def __init__(self, session: AsyncSession, aggregate: type[A], *, kind: str) -> None:
        self._session = session
        self._aggregate = aggregate
        self._kind = kind

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> A:
        """With `lock`, no other may lock or change it; what refers to it may be added meanwhile."""
        # `key_share`: who plans transfers holds a balance and inserts rows of a payee, while a
        # write-off holds the payee and then wants the balance; and so it is elsewhere.
        # What was read before, and changed before it is locked, is a conflict: not what we judged.
        with translated():
            found = await self._session.get(
                self._aggregate,
                aggregate_id,
                with_for_update={"key_share": True} if lock else None,
                populate_existing=lock,
            )
        if found is None:
            raise NotFound(self._kind, aggregate_id)
        return found

    def add(self, aggregate: A) -> None:
        self._session.add(aggregate)

    async def _one(self, statement: Select[A], **parameters: object) -> A | None:
        return (await self._session.scalars(statement, parameters)).one_or_none()

    async def _many(self, statement: Select[A], **parameters: object) -> list[A]:
        return list((await self._session.scalars(statement, parameters)).all())
