"""From the bytes that a provider made to what may be shown: judged, cleaned, signed, stored.

One place for every image that is delivered. Done twice, its row names the files of one run.
"""

from uuid import UUID

from application.studio.signing import Copy, sign_and_store, source_of
from application.studio.workshop import Workshop
from domain.media.asset import Asset, AssetPurpose
from domain.media.provenance import MediaCopy
from domain.studio.generation import Generation


async def finish_image(
    asset_id: UUID, content: bytes, generation: Generation, *, workshop: Workshop
) -> Asset:
    """Raises ImageRefused, ImageTypeRefused; Unavailable when our key or our
    storage fails: try again."""
    facts = await workshop.images.inspect(content)
    made = await workshop.images.derive(
        content, watermark=workshop.watermark, source=source_of(generation.mode)
    )
    original = await workshop.storage.put(
        f"assets/{asset_id}/original.{facts.format}", content, content_type=facts.content_type
    )
    copies: dict[MediaCopy, Copy] = {
        MediaCopy.CLEAN: made.clean,
        MediaCopy.PREVIEW: made.preview,
        MediaCopy.THUMBNAIL: made.thumbnail,
    }
    stored = await sign_and_store(asset_id, content, copies, generation, workshop=workshop)
    clean = stored[MediaCopy.CLEAN]
    return Asset(
        id=asset_id,
        owner_id=generation.owner_id,
        purpose=AssetPurpose.GENERATION,
        content_type=made.clean.content_type,
        width=made.clean.width,
        height=made.clean.height,
        size_bytes=clean.size_bytes,
        sha256=clean.sha256,
        original_key=original.key,
        clean_key=clean.key,
        preview_key=stored[MediaCopy.PREVIEW].key,
        thumbnail_key=stored[MediaCopy.THUMBNAIL].key,
        generation_id=generation.id,
        clean_for_owner=generation.clean_for_owner,
        created_at=workshop.clock.now(),
    )
