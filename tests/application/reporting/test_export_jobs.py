"""Exports are made once, whoever dies when: the same files, one record, nothing left behind."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.storage import MemoryStorage
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.ports.documents import Cell, Table
from application.ports.errors import Unavailable
from application.ports.exports import table_of
from application.ports.reporting import Span
from application.ports.storage import StoredObject
from application.ports.tax import PayeePayment
from application.reporting import exports
from application.reporting.export_jobs import (
    ExportView,
    remove_export,
    request_export,
    retry_export,
    show_export,
)
from application.reporting.export_making import (
    ERASE_EXPORT,
    MAKE_EXPORT,
    erase_export,
    make_export,
)
from application.reporting.exports import FILE_ROWS_MAX, Books, ExportQuery, files_of
from domain.identity.actor import Actor, Role
from domain.reporting.export import ATTEMPTS_MAX, ExportFormat, ExportKind, ExportState
from tests.builders import NOON

ADMIN = Actor(UUID(int=9), frozenset({Role.ADMIN}))
ROW: list[Cell] = [None] * len(table_of(ExportKind.ENTRIES))
BATCH = 20_000


class Killed(BaseException):
    """No handler of errors sees it, as none sees kill -9."""


class Rows:
    """The books, with so many entries."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def rows(
        self, kind: ExportKind, span: Span, *, payee_id: UUID | None
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        for start in range(0, self.count, BATCH):
            yield [ROW] * min(BATCH, self.count - start)


class NoPayments:
    async def payments(self, year: int) -> AsyncIterator[PayeePayment]:
        nothing: list[PayeePayment] = []
        for payment in nothing:
            yield payment


class LengthsOnly:
    """A file for tests: how many rows it has."""

    async def parquet(self, table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
        return str(len(rows)).encode()


class Room:
    """An office of exports. `dies_at` is the step, counted from 1, at which a worker is killed."""

    def __init__(self, count: int = 250_000) -> None:
        self.database = MemoryDatabase()
        self.clock, self.ids = ManualClock(NOON), CountingIds()
        self.storage = Steps(self)
        self.dies_at, self.steps = 0, 0
        self.rows = Rows(count)
        self.books = Books(
            new_uow=self.uow, views=self.rows, tax_views=NoPayments(), tables=LengthsOnly()
        )

    def uow(self) -> MemoryUnitOfWork:
        return Committing(self, self.database)

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed

    async def ask(self) -> UUID:
        query = ExportQuery(
            kind=ExportKind.ENTRIES, format=ExportFormat.PARQUET, since=date(2026, 1, 1)
        )
        asked = await request_export(
            query, actor=ADMIN, uow=MemoryUnitOfWork(self.database), clock=self.clock, ids=self.ids
        )
        return asked.id

    async def work(self) -> None:
        """The last message, as often as it is delivered."""
        body = self.messages(MAKE_EXPORT)[-1]
        await make_export(body, books=self.books, storage=self.storage, clock=self.clock)

    def messages(self, topic: str) -> list[Any]:
        return [message.body for message in self.database.messages if message.topic == topic]

    def acts(self) -> list[str]:
        return [entry.act for entry in self.database.audit]

    async def look(self, export_id: UUID) -> ExportView:
        return await show_export(
            export_id, actor=ADMIN, uow=MemoryUnitOfWork(self.database), storage=self.storage
        )


class Steps(MemoryStorage):
    """Storage that takes steps, and that fails while it is `broken`."""

    def __init__(self, room: Room) -> None:
        super().__init__(clock=ManualClock(NOON))
        self._room = room
        self.broken = False

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject:
        self._room.step()
        if self.broken:
            raise Unavailable("The disc is full.", provider="memory")
        stored = await super().put(key, content, content_type=content_type)
        self._room.step()
        return stored

    async def delete(self, key: str) -> None:
        self._room.step()
        await super().delete(key)


class Committing(MemoryUnitOfWork):
    def __init__(self, room: Room, database: MemoryDatabase) -> None:
        super().__init__(database)
        self._room = room

    async def commit(self) -> None:
        self._room.step()
        await super().commit()
        self._room.step()


async def test_a_large_export_is_several_files() -> None:
    room = Room()
    export_id = await room.ask()
    await room.work()

    ready = await room.look(export_id)
    assert (ready.state, ready.rows, ready.file_count) == (ExportState.READY, 250_000, 3)
    contents = [await room.storage.get(key) for key in sorted(room.storage.stored_keys())]
    assert contents == [b"100000", b"100000", b"50000"]


@pytest.mark.parametrize("count", [0, 1, FILE_ROWS_MAX, FILE_ROWS_MAX + 1])
async def test_files_are_never_longer_and_there_is_always_one(count: int) -> None:
    room = Room(count)
    asked = exports.asked_of(
        ExportQuery(kind=ExportKind.ENTRIES, format=ExportFormat.PARQUET), now=NOON
    )
    sizes = [made.rows async for made in files_of(asked, books=room.books)]
    assert sum(sizes) == count
    assert max(sizes) <= FILE_ROWS_MAX
    assert len(sizes) == max(1, -(-count // FILE_ROWS_MAX))


async def _life(room: Room) -> UUID:
    export_id = await room.ask()
    for _ in range(2):
        try:
            await room.work()
        except Killed:
            continue
    return export_id


async def _steps_of_a_life() -> int:
    room = Room()
    await _life(room)
    return room.steps


async def test_whoever_follows_a_killed_worker_ends_in_the_same_files() -> None:
    last = await _steps_of_a_life()
    assert last > 12
    for step in range(1, last + 1):
        room = Room()
        room.dies_at = step
        export_id = await _life(room)

        ready = await room.look(export_id)
        assert (ready.state, ready.rows, ready.file_count) == (ExportState.READY, 250_000, 3), step
        assert len(room.storage.stored_keys()) == 3
        assert room.acts().count("export.made") == 1


async def test_a_message_that_comes_again_changes_nothing() -> None:
    room = Room()
    export_id = await room.ask()
    await room.work()
    before, steps = await room.look(export_id), room.steps
    room.clock.advance(timedelta(hours=1))
    await room.work()
    assert await room.look(export_id) == before
    assert room.steps == steps + 2  # the commit of nothing


async def test_files_of_a_longer_attempt_do_not_stay() -> None:
    room = Room()
    export_id = await room.ask()
    room.dies_at = 9  # with two files stored
    with pytest.raises(Killed):
        await room.work()
    assert len(room.storage.stored_keys()) == 2
    room.rows.count = 5
    await room.work()
    assert (await room.look(export_id)).file_count == len(room.storage.stored_keys()) == 1


async def test_a_failure_is_told_and_tried_again_until_it_has_failed() -> None:
    room = Room()
    export_id = await room.ask()
    room.storage.broken = True
    for _ in range(ATTEMPTS_MAX - 1):
        with pytest.raises(Unavailable):
            await room.work()
        waiting = await room.look(export_id)
        assert waiting.state is ExportState.REQUESTED
        assert waiting.failure == "Unavailable: The disc is full."
    await room.work()

    failed = await room.look(export_id)
    assert (failed.state, failed.failure) == (ExportState.FAILED, waiting.failure)
    assert failed.expires_at is not None
    await room.work()  # comes again
    assert room.acts() == ["export.requested", "export.failed"]


async def test_what_failed_is_made_when_it_is_asked_for_again() -> None:
    room = Room()
    export_id = await room.ask()
    room.storage.broken = True
    for _ in range(ATTEMPTS_MAX - 1):
        with pytest.raises(Unavailable):
            await room.work()
    await room.work()
    room.storage.broken = False

    await retry_export(export_id, actor=ADMIN, uow=room.uow())
    old, new = room.messages(MAKE_EXPORT)
    await make_export(old, books=room.books, storage=room.storage, clock=room.clock)
    assert (await room.look(export_id)).state is ExportState.REQUESTED
    await make_export(new, books=room.books, storage=room.storage, clock=room.clock)

    ready = await room.look(export_id)
    assert (ready.state, ready.failure) == (ExportState.READY, None)


@pytest.mark.parametrize("removed_at", range(1, 16))
async def test_nothing_stays_of_what_is_removed_while_it_is_made(removed_at: int) -> None:
    """Its worker dies there, the export is removed and erased, and the message comes again."""
    room = Room()
    export_id = await room.ask()
    room.dies_at = removed_at
    with pytest.raises(Killed):
        await room.work()
    await remove_export(export_id, actor=ADMIN, uow=MemoryUnitOfWork(room.database))
    (erase,) = room.messages(ERASE_EXPORT)
    await erase_export(erase.export_id, storage=room.storage)
    assert room.storage.stored_keys() == set()

    await room.work()
    assert room.storage.stored_keys() == set()


async def test_a_worker_that_finds_its_export_removed_erases_what_it_stored() -> None:
    room = Room()
    export_id = await room.ask()

    class Removing(Rows):
        async def rows(
            self, kind: ExportKind, span: Span, *, payee_id: UUID | None
        ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
            yield [ROW] * (FILE_ROWS_MAX + 1)
            assert len(room.storage.stored_keys()) == 1
            await remove_export(export_id, actor=ADMIN, uow=MemoryUnitOfWork(room.database))

    books = Books(new_uow=room.uow, views=Removing(0), tax_views=NoPayments(), tables=LengthsOnly())
    (body,) = room.messages(MAKE_EXPORT)
    await make_export(body, books=books, storage=room.storage, clock=room.clock)
    assert room.storage.stored_keys() == set()
    assert "export.made" not in room.acts()
