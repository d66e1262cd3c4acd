"""A worker makes an export: file after file is stored below `exports/{id}/`, and each is noted.

Whoever comes after a dead worker begins anew, under the same names. Who finds that the export was
removed meanwhile erases what was stored: so nothing stays behind, whoever dies when.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from application.messaging.retrying import described
from application.ports.clock import Clock
from application.ports.reporting import Span
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.reporting.exports import CONTENT_TYPES, Asked, Books, Made, files_of
from domain.reporting.export import Export, ExportFile, ExportState
from domain.shared.errors import NotFound

MAKE_EXPORT = "exports.make"
ERASE_EXPORT = "exports.erase"
_WORKER = "the worker"


class MakeExport(msgspec.Struct, frozen=True, kw_only=True):
    """`run` counts how often it was asked for: an older message than the last does nothing."""

    export_id: UUID
    run: int


class EraseExport(msgspec.Struct, frozen=True, kw_only=True):
    export_id: UUID


async def make_export(
    body: MakeExport, *, books: Books, storage: ObjectStorage, clock: Clock
) -> None:
    """Handles `exports.make`: store the files and note them; what is finished stays as it is.

    After a failure it raises, to be called again, until as many attempts failed as are allowed.
    """
    work = _Work(body, books, storage, clock)
    try:
        if (attempt := await work.begin()) is not None:
            await work.carry_out(attempt)
    except _Removed:
        await erase_export(body.export_id, storage=storage)


async def erase_export(export_id: UUID, *, storage: ObjectStorage) -> None:
    """Handles `exports.erase`; erasing twice is fine."""
    await _erase(export_id, but=set(), storage=storage)


class _Removed(Exception):
    """The export is not there any more."""


class _Attempt(msgspec.Struct, frozen=True):
    number: int
    asked: Asked


class _Work(msgspec.Struct, frozen=True):
    """The ports of one asking, and its steps; those that note something are a transaction each.

    Every step raises _Removed.
    """

    body: MakeExport
    books: Books
    storage: ObjectStorage
    clock: Clock

    async def begin(self) -> _Attempt | None:
        """None when there is nothing to do."""
        async with (uow := self.books.new_uow()):
            export = await self._locked(uow)
            over = export.finished_at
            begun = export.begin(run=self.body.run, at=self.clock.now())
            if export.finished_at != over:
                _tell_failure(export, uow=uow)
            await uow.commit()
        return _Attempt(export.attempt, _asked(export)) if begun else None

    async def carry_out(self, attempt: _Attempt) -> None:
        try:
            await self._store_all(attempt)
        except _Removed:
            raise
        except Exception as error:
            if await self._set_back(attempt, described(error)):
                raise

    async def _store_all(self, attempt: _Attempt) -> None:
        """Stops where another attempt has taken over."""
        files: list[ExportFile] = []
        async for made in files_of(attempt.asked, books=self.books):
            files.append(await self._store(made, attempt.asked))
            del made  # or it stays in memory while the next one is made
            if not await self._note(attempt, files):
                return
        stored = {file.key for file in files}
        # An attempt before may have come to more files: the figures of forms change.
        await _erase(self.body.export_id, but=stored, storage=self.storage)
        await self._complete(attempt)

    async def _store(self, made: Made, asked: Asked) -> ExportFile:
        stored = await self.storage.put(
            _folder(self.body.export_id) + made.name,
            made.content,
            content_type=CONTENT_TYPES[asked.format],
        )
        return ExportFile(
            key=stored.key,
            name=made.name,
            rows=made.rows,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
        )

    async def _note(self, attempt: _Attempt, files: Sequence[ExportFile]) -> bool:
        """Whether this attempt is still the one that counts."""
        async with (uow := self.books.new_uow()):
            export = await self._locked(uow)
            if not export.goes_on(run=self.body.run, attempt=attempt.number):
                return False
            export.files = tuple(files)
            await uow.commit()
        return True

    async def _complete(self, attempt: _Attempt) -> None:
        async with (uow := self.books.new_uow()):
            export = await self._locked(uow)
            if not export.goes_on(run=self.body.run, attempt=attempt.number):
                return
            export.complete(at=self.clock.now())
            uow.audit.record(
                "export.made",
                actor=_WORKER,
                on=("export", export.id),
                after={"rows": export.rows, "files": len(export.files)},
            )
            await uow.commit()

    async def _set_back(self, attempt: _Attempt, failure: str) -> bool:
        """Whether there is to be another attempt."""
        async with (uow := self.books.new_uow()):
            export = await self._locked(uow)
            if not export.goes_on(run=self.body.run, attempt=attempt.number):
                return False
            export.set_back(failure, at=self.clock.now())
            if export.state is ExportState.FAILED:
                _tell_failure(export, uow=uow)
            await uow.commit()
        return export.state is not ExportState.FAILED

    async def _locked(self, uow: UnitOfWork) -> Export:
        try:
            return await uow.exports.get(self.body.export_id, lock=True)
        except NotFound:
            raise _Removed from None


def _tell_failure(export: Export, *, uow: UnitOfWork) -> None:
    uow.audit.record(
        "export.failed",
        actor=_WORKER,
        on=("export", export.id),
        after={"failure": export.failure},
    )


async def _erase(export_id: UUID, *, but: set[str], storage: ObjectStorage) -> None:
    found = [one.key async for one in storage.listing(_folder(export_id)) if one.key not in but]
    for key in found:
        await storage.delete(key)


def _folder(export_id: UUID) -> str:
    return f"exports/{export_id}/"


def _asked(export: Export) -> Asked:
    return Asked(
        kind=export.kind,
        format=export.format,
        span=Span(export.since, export.until),
        payee_id=export.payee_id,
    )
