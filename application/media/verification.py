"""Look at a file that was handed over, and let it in or refuse it.

Every step can be repeated: whatever was killed in between, the next attempt finds the bytes where
it left them, and writes the same to the same place. A file that is refused is erased, and its
upload says why; a store that cannot be reached refuses nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.media.adult import may_be_adult
from application.media.assets import store_renditions
from application.media.looking import looks_of
from application.media.quotas import reserve_storage
from application.media.uploads import end_upload
from application.moderation.judging import Moderation, keep_image
from application.moderation.uploads import UploadBlocked, judge_upload, keep_refusal
from application.ports.clock import Clock
from application.ports.faces import FaceDetector
from application.ports.images import ImageProcessor, ImageRefused, ImageTypeRefused
from application.ports.live import LiveEvents, Told, UploadRefused, UploadVerified
from application.ports.multipart import LocalCopy, MultipartMissing, PartsRefused
from application.ports.storage import ObjectMissing, ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.ports.video import MediaRefused, MediaTypeRefused, VideoProcessor
from domain.media.asset import Asset, Media
from domain.media.formats import Examined, examine
from domain.media.structure.found import FileRefused
from domain.media.upload import (
    MAX_DECODED_BYTES,
    MIB,
    RULES,
    StorageFull,
    Upload,
    UploadIncomplete,
    UploadState,
)
from domain.moderation.images import FRAMES_JUDGED
from domain.moderation.judgement import Judgement, Verdict
from domain.studio.credits import day_of


class _Refused(Exception):
    """The upload ends here; `judgement` is there when that is for what it shows."""

    def __init__(self, code: str, message: str, judgement: Judgement | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.judgement = judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What looks at a file. `frames_up_to` is how large a video may be to be looked at: one that
    is larger has to be taken as it is, as an archive is."""

    images: ImageProcessor
    faces: FaceDetector
    videos: VideoProcessor
    moderation: Moderation
    frames_up_to: int = 200 * MIB


async def verify_upload(
    upload_id: UUID,
    *,
    uow: UnitOfWork,
    storage: ObjectStorage,
    inspection: Inspection,
    clock: Clock,
    live: LiveEvents,
) -> None:
    """Handles `media.verify_upload`. Raises Unavailable when the store, the classifier or the
    processor does: try again."""
    async with uow:
        upload = await uow.uploads.get(upload_id)
    if upload.state is not UploadState.VERIFYING:
        return
    try:
        await _put_together(upload, storage=storage)
        async with storage.open_copy(upload.key) as copy:
            examined = await _examined(upload, copy)
            asset = _asset_of(upload, copy, examined, at=clock.now())
            judgement: Judgement | None
            if asset.media is Media.IMAGE:
                judgement = await _keep_image(
                    asset, copy, uow=uow, storage=storage, inspection=inspection
                )
            else:
                judgement = await _judge_video(asset, copy, uow=uow, inspection=inspection)
                await storage.copy(
                    upload.key,
                    asset.clean_key,
                    content_type=asset.content_type,
                    sha256=copy.sha256,
                )
        told = await _let_in(upload, asset, judgement, uow=uow, inspection=inspection, clock=clock)
    except _Refused as refused:
        told = await _refuse(upload, refused, uow=uow, inspection=inspection, clock=clock)
    for channel, event in told:
        await live.publish(channel, event)


async def _put_together(upload: Upload, *, storage: ObjectStorage) -> None:
    """Make one object of the parts, unless that is done. From then on nothing can change it."""
    if upload.multipart_id is None:
        raise _Refused("upload_lost", "The file was not found in our storage: send it again.")
    try:
        parts = await storage.list_parts(upload.key, upload.multipart_id)
        upload.require_whole(parts)
        await storage.complete_multipart(upload.key, upload.multipart_id, parts)
    except MultipartMissing:
        try:
            await storage.stat(upload.key)
        except ObjectMissing:
            raise _Refused(
                "upload_lost", "The file was not found in our storage: send it again."
            ) from None
    except (PartsRefused, UploadIncomplete):
        raise _Refused(
            "upload_changed", "The parts were changed after the upload was completed."
        ) from None


async def _examined(upload: Upload, copy: LocalCopy) -> Examined:
    """Size, hash, structure, and whether that is what was announced."""
    if copy.size_bytes != upload.size_bytes:
        raise _Refused(
            "size_mismatch", f"The file has {copy.size_bytes} bytes, not {upload.size_bytes}."
        )
    if copy.sha256 != upload.sha256:
        raise _Refused("hash_mismatch", "The file is not the one whose SHA-256 was announced.")
    try:
        examined = await asyncio.to_thread(examine, copy.content)
    except FileRefused as error:
        raise _Refused(error.reason, error.message) from error
    if examined.format not in RULES[upload.purpose].formats:
        raise _Refused(
            "file_type_refused", f"A {examined.format} file is not taken for {upload.purpose}."
        )
    if examined.format.content_type != upload.content_type:
        raise _Refused(
            "type_mismatch",
            f"The file is {examined.format.content_type}, not {upload.content_type}.",
        )
    return examined


def _asset_of(upload: Upload, copy: LocalCopy, examined: Examined, *, at: datetime) -> Asset:
    """What stays is below `assets/{id}/`: an image anew, everything else as it came."""
    return Asset(
        id=upload.id,
        owner_id=upload.owner_id,
        purpose=upload.purpose,
        media=examined.format.media,
        name=upload.filename,
        content_type=upload.content_type,
        width=examined.width,
        height=examined.height,
        duration_ms=examined.duration_ms,
        size_bytes=copy.size_bytes,
        sha256=copy.sha256,
        clean_key=f"assets/{upload.id}/clean.{examined.format}",
        created_at=at,
        uploaded_sha256=copy.sha256,
    )


async def _keep_image(
    asset: Asset,
    copy: LocalCopy,
    *,
    uow: UnitOfWork,
    storage: ObjectStorage,
    inspection: Inspection,
) -> Judgement:
    """Decoded and written anew: upright, in sRGB, with nothing of what the file told besides;
    judged before anything of it is stored."""
    if copy.size_bytes > MAX_DECODED_BYTES:
        raise _Refused(
            "image_too_large", f"An image has at most {MAX_DECODED_BYTES // 1024**2} MB."
        )
    try:
        made = await inspection.images.derive(copy.content[:], watermark=None)
        asset.looks = await looks_of(
            made.preview.content, asset.purpose, images=inspection.images, faces=inspection.faces
        )
    except (ImageRefused, ImageTypeRefused) as error:
        raise _Refused(error.code, error.message) from error
    judgement = await _judged([made.preview.content], asset, uow=uow, inspection=inspection)
    stored = await store_renditions(
        asset.id, made.clean, made.preview, made.thumbnail, storage=storage
    )
    asset.content_type = made.clean.content_type
    asset.width, asset.height = made.clean.width, made.clean.height
    asset.size_bytes, asset.sha256 = stored.clean.size_bytes, stored.clean.sha256
    asset.clean_key = stored.clean.key
    asset.preview_key, asset.thumbnail_key = stored.preview.key, stored.thumbnail.key
    return judgement


async def _judge_video(
    asset: Asset, copy: LocalCopy, *, uow: UnitOfWork, inspection: Inspection
) -> Judgement | None:
    """By some of its frames. Sounds, documents and archives are not looked into."""
    if asset.media is not Media.VIDEO or copy.size_bytes > inspection.frames_up_to:
        return None
    try:
        frames = await inspection.videos.frames(copy.content[:], most=FRAMES_JUDGED)
    except (MediaRefused, MediaTypeRefused) as error:
        raise _Refused(error.code, error.message) from error
    pictures = [frame.content for frame in frames]
    return await _judged(pictures, asset, uow=uow, inspection=inspection)


async def _judged(
    pictures: Sequence[bytes], asset: Asset, *, uow: UnitOfWork, inspection: Inspection
) -> Judgement:
    judgement = await judge_upload(
        pictures,
        adult=await may_be_adult(asset.purpose, asset.owner_id, uow=uow, at=asset.created_at),
        owner_id=asset.owner_id,
        sha256=asset.as_delivered,
        uow=uow,
        moderation=inspection.moderation,
    )
    if judgement.verdict is Verdict.BLOCKED:
        raise _Refused(UploadBlocked.code, UploadBlocked.words, judgement)
    return judgement


async def _let_in(
    upload: Upload,
    asset: Asset,
    judgement: Judgement | None,
    *,
    uow: UnitOfWork,
    inspection: Inspection,
    clock: Clock,
) -> Sequence[Told]:
    """The reservation becomes use. What an image grew by when it was written anew needs room
    too."""
    async with uow:
        locked = await uow.uploads.get(upload.id, lock=True)
        if locked.state is not UploadState.VERIFYING:
            return ()
        grown_bytes = max(asset.size_bytes - locked.size_bytes, 0)
        if grown_bytes:
            try:
                await reserve_storage(
                    uow, user_id=locked.owner_id, size_bytes=grown_bytes, at=asset.created_at
                )
            except StorageFull as error:
                raise _Refused(error.code, error.message) from error
            await uow.uploads.release(locked.owner_id, grown_bytes)
        if judgement is not None:
            await keep_image(asset, judgement, uow=uow, moderation=inspection.moderation)
        uow.assets.add(asset)
        await uow.studio_use.count(
            locked.owner_id, day_of(asset.created_at), stored_bytes=asset.size_bytes
        )
        locked.become_ready(at=clock.now())
        await end_upload(locked, uow=uow)
        event = UploadVerified(upload_id=locked.id, asset_id=asset.id)
        told = await uow.user_events.log([(locked.owner_id, event)], at=clock.now())
        await uow.commit()
    return told


async def _refuse(
    upload: Upload, refused: _Refused, *, uow: UnitOfWork, inspection: Inspection, clock: Clock
) -> Sequence[Told]:
    async with uow:
        locked = await uow.uploads.get(upload.id, lock=True)
        if locked.state is not UploadState.VERIFYING:
            return ()
        locked.refuse(refused.code, refused.message, at=clock.now())
        if refused.judgement is not None:
            await keep_refusal(
                upload.id,
                refused.judgement,
                owner_id=upload.owner_id,
                sha256=upload.sha256,
                uow=uow,
                moderation=inspection.moderation,
            )
        await end_upload(locked, uow=uow)
        event = UploadRefused(
            upload_id=locked.id, error_code=refused.code, error_message=refused.message
        )
        told = await uow.user_events.log([(locked.owner_id, event)], at=clock.now())
        await uow.commit()
    return told
