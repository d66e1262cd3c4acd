"""Files come in parts, directly to the store, and can be resumed after any interruption.

What comes lies in quarantine, where nothing links to, until `verification` has looked at it. Room
for it is reserved when it begins and given back when it ends, however it ends.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.media.quotas import reserve_storage
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.multipart import PartLink, StoredPart
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.ports.uploads import UploadViews
from domain.identity.actor import Actor
from domain.media.asset import AssetPurpose
from domain.media.upload import (
    PART_LINK_LIFE,
    UPLOAD_LIFE,
    Upload,
    UploadState,
    check_claims,
    part_bytes_for,
)
from domain.shared.errors import NotFound

VERIFY_UPLOAD = "media.verify_upload"
DISCARD_UPLOAD = "media.discard_upload"
_EXPIRY_BATCH = 200


class VerifyUpload(msgspec.Struct, frozen=True):
    """Outbox message: all parts are there."""

    upload_id: UUID


class DiscardUpload(msgspec.Struct, frozen=True):
    """Outbox message: nobody needs the bytes of this upload any more."""

    upload_id: UUID
    key: str
    multipart_id: str | None


class BeginUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file is, as the sender knows it; all of it is checked once the file is there."""

    filename: Annotated[str, msgspec.Meta(min_length=1, max_length=255, examples=["presets.zip"])]
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**53, examples=[31457280])]
    content_type: Annotated[str, msgspec.Meta(max_length=100, examples=["application/zip"])]
    sha256: Annotated[
        str,
        msgspec.Meta(
            pattern="^[0-9a-f]{64}$",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        ),
    ]
    purpose: AssetPurpose


class AskParts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which parts are to be sent next. Links live 15 minutes: ask for a few at a time."""

    numbers: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=10_000)]],
        msgspec.Meta(min_length=1, max_length=100, examples=[[1, 2, 3]]),
    ]


class UploadRefusal(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class UploadDetails(msgspec.Struct, frozen=True, kw_only=True):
    """All parts are `part_bytes` long but the last, which is what remains.

    `asset_id` is there once the file is `ready`; `error` says why it was `refused`.
    """

    id: UUID
    purpose: AssetPurpose
    state: UploadState
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    part_bytes: int
    part_count: int
    asset_id: UUID | None
    error: UploadRefusal | None
    created_at: datetime
    expires_at: datetime


class UploadProgress(UploadDetails, frozen=True, kw_only=True):
    """`parts` are those that have come; send the others to resume. `progress` is a percentage."""

    parts: list[StoredPart]
    received_bytes: int
    progress: int


async def begin_upload(
    command: BeginUpload,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    clock: Clock,
    ids: Ids,
) -> UploadDetails:
    """Reserve room, then begin at the store; what fails in between expires with the upload.

    Raises PurposeRefused, UploadTooLarge, UploadTypeRefused, StorageFull.
    """
    check_claims(command.purpose, command.size_bytes, command.content_type)
    now = clock.now()
    upload = Upload(
        id=ids.new(),
        owner_id=actor.user_id,
        purpose=command.purpose,
        filename=command.filename,
        content_type=command.content_type,
        size_bytes=command.size_bytes,
        sha256=command.sha256,
        part_bytes=part_bytes_for(command.size_bytes),
        created_at=now,
        expires_at=now + UPLOAD_LIFE,
    )
    async with uow:
        await reserve_storage(uow, user_id=actor.user_id, size_bytes=command.size_bytes, at=now)
        uow.uploads.add(upload)
        await uow.commit()
    multipart_id = await storage.start_multipart(upload.key, content_type=command.content_type)
    async with uow:
        upload = await uow.uploads.get(upload.id, lock=True)
        upload.multipart_id = multipart_id
        await uow.commit()
    return details_of(upload)


async def link_parts(
    upload_id: UUID,
    command: AskParts,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    clock: Clock,
) -> list[PartLink]:
    """Raises NotFound, UploadClosed, UploadExpired, UploadNotBegun; Invalid for other numbers."""
    now = clock.now()
    async with uow:
        upload = await _own_upload(upload_id, actor=actor, uow=uow)
    multipart_id = upload.require_taking_parts(at=now)
    life = max(min(PART_LINK_LIFE, upload.expires_at - now), timedelta(seconds=1))
    sizes = {number: upload.size_of(number) for number in dict.fromkeys(command.numbers)}
    urls = await asyncio.gather(
        *(
            storage.part_url(
                upload.key, multipart_id, number, size_bytes=size_bytes, expires_in=life
            )
            for number, size_bytes in sizes.items()
        )
    )
    return [
        PartLink(
            number=number,
            url=url,
            size_bytes=size_bytes,
            headers={"Content-Length": str(size_bytes)},
            expires_at=now + life,
        )
        for (number, size_bytes), url in zip(sizes.items(), urls, strict=True)
    ]


async def read_upload(
    upload_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage
) -> UploadProgress:
    """What has come, asked of the store itself. Raises NotFound for anybody but the sender."""
    async with uow:
        upload = await _own_upload(upload_id, actor=actor, uow=uow)
    parts: list[StoredPart] = []
    received_bytes = 0 if upload.state is UploadState.UPLOADING else upload.size_bytes
    if upload.state is UploadState.UPLOADING and upload.multipart_id is not None:
        parts = await storage.list_parts(upload.key, upload.multipart_id)
        received_bytes = sum(part.size_bytes for part in parts)
    return UploadProgress(
        **msgspec.structs.asdict(details_of(upload)),
        parts=parts,
        received_bytes=received_bytes,
        progress=min(received_bytes * 100 // upload.size_bytes, 100),
    )


async def list_uploads(
    *,
    actor: Actor,
    state: UploadState | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    views: UploadViews,
) -> list[UploadDetails]:
    """The actor's own, newest first."""
    found = await views.page(actor.user_id, state=state, before=before, limit=limit)
    return [details_of(upload) for upload in found]


async def complete_upload(
    upload_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage, clock: Clock
) -> UploadDetails:
    """Hand the file over to be checked; asked again, it says how far that is.

    The parts are counted as the store lists them, not as the sender says.
    Raises NotFound, UploadIncomplete, UploadClosed, UploadExpired, UploadNotBegun.
    """
    handed_over = {UploadState.VERIFYING, UploadState.READY, UploadState.REFUSED}
    async with uow:
        upload = await _own_upload(upload_id, actor=actor, uow=uow)
    if upload.state in handed_over:
        return details_of(upload)
    multipart_id = upload.require_taking_parts(at=clock.now())
    upload.require_whole(await storage.list_parts(upload.key, multipart_id))
    async with uow:
        upload = await uow.uploads.get(upload_id, lock=True)
        if upload.state not in handed_over:
            upload.require_taking_parts(at=clock.now())
            upload.verify()
            uow.outbox.add(VERIFY_UPLOAD, VerifyUpload(upload.id), key=str(upload.id))
            await uow.commit()
    return details_of(upload)


async def abort_upload(upload_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> None:
    """Give up what has not been handed over. Raises NotFound, UploadClosed."""
    async with uow:
        upload = await _own_upload(upload_id, actor=actor, uow=uow, lock=True)
        if upload.state is not UploadState.ABORTED:
            upload.abort(at=clock.now())
            await end_upload(upload, uow=uow)
            await uow.commit()


async def expire_uploads(*, uow: UnitOfWork, clock: Clock) -> int:
    """Give up what was begun a day ago and never completed; answers how many."""
    now, expired = clock.now(), 0
    async with uow:
        due = await uow.uploads.due(at=now, limit=_EXPIRY_BATCH)
    for upload_id in due:
        async with uow:
            upload = await uow.uploads.get(upload_id, lock=True)
            if upload.state is UploadState.UPLOADING:
                upload.expire(at=now)
                await end_upload(upload, uow=uow)
                await uow.commit()
                expired += 1
    return expired


async def end_upload(upload: Upload, *, uow: UnitOfWork) -> None:
    """Give back what was reserved and have the bytes erased, in the caller's transaction."""
    await uow.uploads.release(upload.owner_id, upload.size_bytes)
    uow.outbox.add(DISCARD_UPLOAD, DiscardUpload(upload.id, upload.key, upload.multipart_id))


async def discard_upload(body: DiscardUpload, *, storage: ObjectStorage) -> None:
    """Handles `media.discard_upload`; discarding twice is fine."""
    if body.multipart_id is not None:
        await storage.abort_multipart(body.key, body.multipart_id)
    await storage.delete(body.key)


def details_of(upload: Upload) -> UploadDetails:
    error = None
    if upload.error_code is not None:
        error = UploadRefusal(code=upload.error_code, message=upload.error_message or "")
    return UploadDetails(
        id=upload.id,
        purpose=upload.purpose,
        state=upload.state,
        filename=upload.filename,
        content_type=upload.content_type,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        part_bytes=upload.part_bytes,
        part_count=upload.part_count,
        asset_id=upload.id if upload.state is UploadState.READY else None,
        error=error,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
    )


async def _own_upload(
    upload_id: UUID, *, actor: Actor, uow: UnitOfWork, lock: bool = False
) -> Upload:
    upload = await uow.uploads.get(upload_id, lock=lock)
    if upload.owner_id != actor.user_id:
        raise NotFound("upload", upload_id)
    return upload
