"""Exports as jobs: asked for by an administrator, made by a worker, removed when their time is
over."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.reporting.export_making import (
    ERASE_EXPORT,
    MAKE_EXPORT,
    EraseExport,
    MakeExport,
)
from application.reporting.exports import ExportQuery, asked_of
from domain.identity.actor import Actor, Role
from domain.reporting.export import Export, ExportFormat, ExportKind, ExportState

LINK_LIFE = timedelta(minutes=5)
_EXPIRE_BATCH = 100


class ExportView(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` and `size_bytes` are what is stored so far. `failure` says why the last attempt did
    not succeed; while the state is not `failed`, there will be another. What is ready or failed is
    removed at `expires_at`."""

    id: UUID
    kind: ExportKind
    format: ExportFormat
    since: date = msgspec.field(name="from")
    until: date = msgspec.field(name="to")
    payee_id: UUID | None
    state: ExportState
    failure: str | None
    file_count: int
    rows: int
    size_bytes: int
    created_by: UUID
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


class FileLink(msgspec.Struct, frozen=True, kw_only=True):
    """`url` serves the file for five minutes to whoever has it: ask anew for another."""

    name: str
    rows: int
    size_bytes: int
    sha256: str
    url: str


class ExportDetails(ExportView, frozen=True, kw_only=True):
    """`files` are there once it is ready."""

    files: list[FileLink]


async def request_export(
    query: ExportQuery, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> ExportView:
    """Have a worker make it. Raises RoleRequired, PeriodInvalid."""
    actor.require(Role.ADMIN)
    now = clock.now()
    asked = asked_of(query, now=now)
    export = Export(
        id=ids.new(),
        kind=asked.kind,
        format=asked.format,
        since=asked.span.since,
        until=asked.span.until,
        payee_id=asked.payee_id,
        requested_by=actor.user_id,
        requested_at=now,
    )
    async with uow:
        uow.exports.add(export)
        _have_made(export, uow=uow)
        uow.audit.record(
            "export.requested", actor=actor, on=("export", export.id), after=_facts(export)
        )
        await uow.commit()
    return ExportView(**_shown(export))


async def retry_export(export_id: UUID, *, actor: Actor, uow: UnitOfWork) -> ExportView:
    """Have an export that failed made again. Raises RoleRequired, NotFound, ExportNotFailed."""
    actor.require(Role.ADMIN)
    async with uow:
        export = await uow.exports.get(export_id, lock=True)
        export.ask_again()
        _have_made(export, uow=uow)
        uow.audit.record("export.retried", actor=actor, on=("export", export.id))
        await uow.commit()
    return ExportView(**_shown(export))


async def list_exports(
    *, before: UUID | None, limit: int, actor: Actor, uow: UnitOfWork
) -> list[ExportView]:
    """The latest first. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    async with uow:
        found = await uow.exports.page(before=before, limit=limit)
    return [ExportView(**_shown(export)) for export in found]


async def show_export(
    export_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage
) -> ExportDetails:
    """With links to its files, once it is ready; that they were given is recorded.

    Raises RoleRequired, NotFound.
    """
    actor.require(Role.ADMIN)
    async with uow:
        export = await uow.exports.get(export_id)
        if export.state is ExportState.READY:
            uow.audit.record("export.linked", actor=actor, on=("export", export.id))
            await uow.commit()
    return ExportDetails(files=await _links(export, storage=storage), **_shown(export))


async def remove_export(export_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """With its files; one that is being made is given up. Raises RoleRequired, NotFound."""
    actor.require(Role.ADMIN)
    async with uow:
        await _remove(await uow.exports.get(export_id, lock=True), actor=actor, uow=uow)
        await uow.commit()


async def expire_exports(*, uow: UnitOfWork, clock: Clock) -> int:
    """Remove those whose time is over; answers how many, at most a batch."""
    async with uow:
        found = await uow.exports.expired(now=clock.now(), limit=_EXPIRE_BATCH)
        for export in found:
            await _remove(export, actor="the schedule", uow=uow)
        await uow.commit()
    return len(found)


def _have_made(export: Export, *, uow: UnitOfWork) -> None:
    body = MakeExport(export_id=export.id, run=export.run)
    uow.outbox.add(MAKE_EXPORT, body, key=f"{export.id}:{export.run}")


async def _remove(export: Export, *, actor: Actor | str, uow: UnitOfWork) -> None:
    await uow.exports.remove(export)
    uow.outbox.add(ERASE_EXPORT, EraseExport(export_id=export.id), key=str(export.id))
    uow.audit.record("export.removed", actor=actor, on=("export", export.id), before=_facts(export))


async def _links(export: Export, *, storage: ObjectStorage) -> list[FileLink]:
    """The one place where links to exports are signed."""
    if export.state is not ExportState.READY:
        return []
    urls = await asyncio.gather(
        *(
            storage.signed_url(file.key, expires_in=LINK_LIFE, download_name=file.name)
            for file in export.files
        )
    )
    return [
        FileLink(
            name=file.name, rows=file.rows, size_bytes=file.size_bytes, sha256=file.sha256, url=url
        )
        for file, url in zip(export.files, urls, strict=True)
    ]


def _shown(export: Export) -> dict[str, Any]:
    return {
        "id": export.id,
        "kind": export.kind,
        "format": export.format,
        "since": export.since,
        "until": export.until,
        "payee_id": export.payee_id,
        "state": export.state,
        "failure": export.failure,
        "file_count": len(export.files),
        "rows": export.rows,
        "size_bytes": export.size_bytes,
        "created_by": export.requested_by,
        "created_at": export.requested_at,
        "started_at": export.started_at,
        "finished_at": export.finished_at,
        "expires_at": export.expires_at,
    }


def _facts(export: Export) -> dict[str, object]:
    return {
        "kind": export.kind,
        "format": export.format,
        "from": export.since,
        "to": export.until,
        "payee_id": export.payee_id,
    }
