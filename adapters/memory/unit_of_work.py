"""A unit of work over dicts, for the tests of use cases."""

from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from adapters.memory.identity import ONE_USER_PER_EMAIL, MemorySessions, MemoryUsers
from adapters.memory.media import MemoryAssets
from adapters.memory.repository import MemoryRepository, Table
from application.ports.media import CleanGrant


class AddedMessage(NamedTuple):
    topic: str
    body: msgspec.Struct
    due_at: datetime | None
    key: str | None


class MemoryOutbox:
    def __init__(self, committed: list[AddedMessage]) -> None:
        self._committed = committed
        self._added: list[AddedMessage] = []

    def add(
        self,
        topic: str,
        body: msgspec.Struct,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        self._added.append(AddedMessage(topic, body, due_at, key))

    def flush(self) -> None:
        taken = {(m.topic, m.key) for m in self._committed if m.key is not None}
        for message in self._added:
            if (message.topic, message.key) not in taken:
                self._committed.append(message)
            if message.key is not None:
                taken.add((message.topic, message.key))
        self._added.clear()


class MemoryDatabase:
    """What several units of work share: the committed state. Contexts add their tables here."""

    def __init__(self) -> None:
        self.messages: list[AddedMessage] = []
        self.tables: dict[str, Table[Any]] = {}
        self.asset_grants: set[CleanGrant] = set()

    def table(self, kind: str, **options: Any) -> Table[Any]:
        return self.tables.setdefault(kind, Table(kind, **options))


class MemoryUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        self.outbox = MemoryOutbox(self._database.messages)
        refresh_tokens = MemoryRepository(self._database.table("refresh token"))
        self.users = MemoryUsers(self._database.table("user", unique=ONE_USER_PER_EMAIL))
        self.sessions = MemorySessions(self._database.table("session"), tokens=refresh_tokens)
        self.assets = MemoryAssets(self._database.table("asset"), self._database.asset_grants)
        self._repositories: list[MemoryRepository[Any]] = [
            self.assets,
            self.users,
            self.sessions,
            refresh_tokens,
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self.outbox

    async def commit(self) -> None:
        for repository in self._repositories:
            repository.check()
        for repository in self._repositories:
            repository.flush()
        self.outbox.flush()
