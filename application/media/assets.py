"""Upload images, look at them, delete them.

Bytes are written before the row that points at them, and erased after it is gone: whatever crashes
in between leaves bytes that nobody finds, which a sweep removes a day later, never a row that
points to nothing.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from application.identity.authority import ProjectAct, project_for
from application.media.adult import may_be_adult
from application.media.delivery import AssetDetails, details_of
from application.media.looking import looks_of
from application.media.quotas import reserve_storage
from application.moderation.judging import Moderation, keep_image
from application.moderation.uploads import UploadBlocked, judge_upload, keep_refusal
from application.ports.clock import Clock
from application.ports.faces import FaceDetector
from application.ports.ids import Ids
from application.ports.images import ImageProcessor, Rendition
from application.ports.media import ERASE_BYTES, AssetViews, EraseBytes
from application.ports.messages import Message
from application.ports.storage import ObjectStorage, StoredObject
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.media.asset import (
    Asset,
    AssetInUse,
    AssetPurpose,
    AssetState,
    AssetUnderReview,
    Media,
    check_upload,
)
from domain.moderation.judgement import Verdict
from domain.shared.errors import NotFound
from domain.studio.credits import day_of

DELETE_TRAINING_IMAGES = "media.delete_training_images"


class DeleteTrainingImages(msgspec.Struct, frozen=True, kw_only=True):
    """Outbox message: their owner wants them gone with the model that was trained from them."""

    owner_id: UUID
    asset_ids: list[UUID]


class Copy(StrEnum):
    BEST = "best"
    CLEAN = "clean"
    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"


class StoredRenditions(msgspec.Struct, frozen=True, kw_only=True):
    clean: StoredObject
    preview: StoredObject
    thumbnail: StoredObject


async def upload_image(
    content: bytes,
    purpose: AssetPurpose,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    images: ImageProcessor,
    moderation: Moderation,
    faces: FaceDetector,
    clock: Clock,
    ids: Ids,
) -> AssetDetails:
    """Keep a clean copy; the upload itself is forgotten. It is judged before anything is stored.

    Raises PurposeRefused, UploadTooLarge, ImageTypeRefused, ImageRefused, UploadBlocked,
    StorageFull; Unavailable: nobody could judge it, try again.
    """
    check_upload(purpose, len(content))
    made = await images.derive(content, watermark=None)
    asset_id, sha256 = ids.new(), hashlib.sha256(content).hexdigest()
    judgement = await judge_upload(
        [made.preview.content],
        adult=await may_be_adult(purpose, actor.user_id, uow=uow, at=clock.now()),
        owner_id=actor.user_id,
        sha256=sha256,
        uow=uow,
        moderation=moderation,
    )
    if judgement.verdict is Verdict.BLOCKED:
        async with uow:
            case_id = await keep_refusal(
                asset_id,
                judgement,
                owner_id=actor.user_id,
                sha256=sha256,
                uow=uow,
                moderation=moderation,
            )
            await uow.commit()
        said = {"file": ["shows what may not be shown here"], "case_id": [str(case_id)]}
        raise UploadBlocked(UploadBlocked.words, fields=said)
    looks = await looks_of(made.preview.content, purpose, images=images, faces=faces)
    stored = await store_renditions(
        asset_id, made.clean, made.preview, made.thumbnail, storage=storage
    )
    asset = Asset(
        id=asset_id,
        owner_id=actor.user_id,
        purpose=purpose,
        content_type=made.clean.content_type,
        width=made.clean.width,
        height=made.clean.height,
        size_bytes=stored.clean.size_bytes,
        sha256=stored.clean.sha256,
        clean_key=stored.clean.key,
        preview_key=stored.preview.key,
        thumbnail_key=stored.thumbnail.key,
        created_at=clock.now(),
        uploaded_sha256=sha256,
        looks=looks,
    )
    async with uow:
        await reserve_storage(
            uow, user_id=actor.user_id, size_bytes=asset.size_bytes, at=asset.created_at
        )
        await keep_image(asset, judgement, uow=uow, moderation=moderation)
        uow.assets.add(asset)
        await uow.uploads.release(actor.user_id, asset.size_bytes)
        await uow.studio_use.count(
            actor.user_id, day_of(asset.created_at), stored_bytes=asset.size_bytes
        )
        await uow.commit()
    return await details_of(asset, viewer_id=actor.user_id, grantees=(), storage=storage)


async def read_asset(
    asset_id: UUID, *, actor: Actor, uow: UnitOfWork, storage: ObjectStorage, clock: Clock
) -> AssetDetails:
    """For its owner and for who bought it, of whom is noted that the clean copy was given.

    What is under review is told to its owner, without links. Raises NotFound for everybody else,
    and for what is hidden.
    """
    async with uow:
        asset = await uow.assets.get(asset_id)
        grantees = await uow.assets.grantees(asset_id)
    if actor.user_id not in {asset.owner_id, *grantees} or asset.state is AssetState.HIDDEN:
        raise NotFound("asset", asset_id)
    if actor.user_id in grantees:
        async with uow:
            await uow.assets.note_access(asset_id, actor.user_id, at=clock.now())
            await uow.commit()
    return await details_of(asset, viewer_id=actor.user_id, grantees=grantees, storage=storage)


async def link_copy(
    asset_id: UUID,
    copy: Copy,
    *,
    actor: Actor,
    uow: UnitOfWork,
    storage: ObjectStorage,
    clock: Clock,
) -> str:
    """A signed link. Raises NotFound for an asset or a copy that the actor may not have,
    AssetUnderReview."""
    details = await read_asset(asset_id, actor=actor, uow=uow, storage=storage, clock=clock)
    if details.state is AssetState.UNDER_REVIEW:
        raise AssetUnderReview("A moderator has to look at this first.")
    urls = {
        Copy.BEST: details.url,
        Copy.CLEAN: details.clean_url,
        Copy.PREVIEW: details.preview_url,
        Copy.THUMBNAIL: details.thumbnail_url,
    }
    url = urls[copy]
    if url is None:
        raise NotFound("copy of the asset", copy)
    return url


async def list_assets(
    *,
    actor: Actor,
    uow: UnitOfWork,
    purpose: AssetPurpose | None,
    media: Media | None,
    project_id: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    views: AssetViews,
    storage: ObjectStorage,
) -> list[AssetDetails]:
    """The actor's own, newest first; of a project what the actor has made in it. Clean copies of
    bought images are linked by `read_asset`. Raises NotFound for a project that is not there, or
    not for the actor."""
    if project_id is not None:
        async with uow:
            await project_for(project_id, ProjectAct.VIEW, actor=actor, uow=uow)
    found = await views.page(
        actor.user_id,
        purpose=purpose,
        media=media,
        project_id=project_id,
        before=before,
        limit=limit,
    )
    return await asyncio.gather(
        *(
            details_of(asset, viewer_id=actor.user_id, grantees=(), storage=storage)
            for asset in found
        )
    )


async def delete_asset(asset_id: UUID, *, actor: Actor, uow: UnitOfWork) -> None:
    """Raises NotFound for anybody but the owner, AssetInUse while something refers to it."""
    async with uow:
        asset = await uow.assets.get(asset_id, lock=True)
        if asset.owner_id != actor.user_id:
            raise NotFound("asset", asset_id)
        await uow.assets.remove(asset)
        uow.outbox.add(ERASE_BYTES, EraseBytes(asset.keys))
        await uow.commit()


async def delete_training_images(
    body: DeleteTrainingImages, *, new_uow: Callable[[], UnitOfWork]
) -> None:
    """Handles `media.delete_training_images`, one by one; deleting twice is fine. What something
    else needs stays."""
    for asset_id in body.asset_ids:
        async with (uow := new_uow()):
            for asset in await uow.assets.many([asset_id]):
                if not _is_training_image(asset, of=body.owner_id):
                    continue
                with suppress(AssetInUse):
                    await uow.assets.remove(asset)
                    uow.outbox.add(ERASE_BYTES, EraseBytes(asset.keys))
                    await uow.commit()


def _is_training_image(asset: Asset, *, of: UUID) -> bool:
    return asset.owner_id == of and asset.purpose is AssetPurpose.TRAINING_IMAGE


async def erase_bytes(messages: Sequence[Message], *, storage: ObjectStorage) -> None:
    """Handles `media.erase_bytes`; erasing twice is fine."""
    for message in messages:
        for key in msgspec.json.decode(message.payload, type=EraseBytes).keys:
            await storage.delete(key)


async def store_renditions(
    asset_id: UUID,
    clean: Rendition,
    preview: Rendition,
    thumbnail: Rendition,
    *,
    storage: ObjectStorage,
) -> StoredRenditions:
    """Write the copies below `assets/{id}/`. The same asset, written again, lands on itself."""
    stored = await asyncio.gather(
        *(
            storage.put(
                f"assets/{asset_id}/{name}.{rendition.content_type.removeprefix('image/')}",
                rendition.content,
                content_type=rendition.content_type,
            )
            for name, rendition in (
                ("clean", clean),
                ("preview", preview),
                ("thumbnail", thumbnail),
            )
        )
    )
    return StoredRenditions(clean=stored[0], preview=stored[1], thumbnail=stored[2])
