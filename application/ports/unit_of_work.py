"""One transaction: what a use case reads and writes, committed once or not at all.

    async with uow:
        creator = await uow.creators.get(command.creator_id, lock=True)
        ...
        await uow.commit()

Leaving the block without `commit()` rolls back. A unit of work may be entered again afterwards,
never while it is open.
"""

from types import TracebackType
from typing import Protocol, Self

from application.ports.messages import Outbox


class UnitOfWork(Protocol):
    @property
    def outbox(self) -> Outbox: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def commit(self) -> None:
        """Make it so. Raises the domain's error for a violated constraint, or StaleVersion."""
        ...
