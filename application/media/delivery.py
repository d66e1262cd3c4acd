"""Who gets a link to which copy. Links expire soon and are made anew for each answer."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.ports.storage import ObjectStorage
from domain.media.asset import Asset, AssetPurpose, AssetState, Media

PREVIEW_LIFE = timedelta(hours=1)
CLEAN_LIFE = timedelta(minutes=5)


class AssetDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is the best copy that the reader may have; `clean_url` is null for who has not paid.

    Width, height, duration, bytes and hash are those of the clean copy. What cannot be shown, as
    an archive, has no preview; only what is seen has width and height, what lasts a duration.
    While `state` is `under_review` there are no links: a moderator has to look at it first.
    `faces` are counted in training images.
    """

    id: UUID
    purpose: AssetPurpose
    state: AssetState
    media: Media
    name: str | None
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    size_bytes: int
    sha256: str
    faces: int | None
    created_at: datetime
    url: str | None
    preview_url: str | None
    thumbnail_url: str | None
    clean_url: str | None


class PreviewUrls(msgspec.Struct, frozen=True, kw_only=True):
    preview_url: str | None
    thumbnail_url: str | None


async def preview_urls(asset: Asset, *, storage: ObjectStorage) -> PreviewUrls:
    """Links to the copies that show an asset without giving it away."""
    preview, thumbnail = await asyncio.gather(
        shown_url(asset.preview_key, storage=storage),
        shown_url(asset.thumbnail_key, storage=storage),
    )
    return PreviewUrls(preview_url=preview, thumbnail_url=thumbnail)


async def clean_url(
    asset: Asset, buyer_id: UUID, *, grantees: Collection[UUID], storage: ObjectStorage
) -> str | None:
    """A link to the clean copy, or None for who may not have it."""
    if not asset.shows_clean_copy_to(buyer_id, grantees=grantees):
        return None
    extension = asset.clean_key.rpartition(".")[2]
    return await storage.signed_url(
        asset.clean_key,
        expires_in=CLEAN_LIFE,
        download_name=asset.name or f"{asset.id}.{extension}",
    )


async def details_of(
    asset: Asset, *, viewer_id: UUID, grantees: Collection[UUID], storage: ObjectStorage
) -> AssetDetails:
    previews, clean = PreviewUrls(preview_url=None, thumbnail_url=None), None
    if asset.state is AssetState.READY:
        previews = await preview_urls(asset, storage=storage)
        clean = await clean_url(asset, viewer_id, grantees=grantees, storage=storage)
    return AssetDetails(
        id=asset.id,
        purpose=asset.purpose,
        state=asset.state,
        media=asset.media,
        name=asset.name,
        content_type=asset.content_type,
        width=asset.width,
        height=asset.height,
        duration_ms=asset.duration_ms,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
        faces=asset.looks.faces if asset.looks else None,
        created_at=asset.created_at,
        url=clean or previews.preview_url,
        preview_url=previews.preview_url,
        thumbnail_url=previews.thumbnail_url,
        clean_url=clean,
    )


async def shown_url(key: str | None, *, storage: ObjectStorage) -> str | None:
    """A link to a copy that carries its mark, where there is one."""
    return None if key is None else await storage.signed_url(key, expires_in=PREVIEW_LIFE)
