"""From what an engine made to what may be shown, where that moves, sounds, or has three dimensions.

A video becomes an MP4 that every player plays, with a marked preview and a marked still. A sound
and a mesh cannot be marked visibly: they are shown to nobody before they are had. What can carry
content credentials is signed, last; meshes and Ogg cannot. Done twice, the row names the files of
one run.
"""

from uuid import UUID

from application.ports.storage import ObjectStorage, StoredObject
from application.ports.video import MP4
from application.studio.signing import Copy, Cut, sign_and_store
from application.studio.workshop import Workshop
from domain.media.asset import Asset, AssetPurpose, Media
from domain.media.provenance import MediaCopy, carried_by
from domain.studio.generation import Generation
from domain.studio.outputs import MESH_TYPE, OutputRefused, is_binary_gltf


async def finish_video(
    asset_id: UUID, content: bytes, generation: Generation, *, workshop: Workshop
) -> Asset:
    """Raises MediaRefused, MediaTypeRefused; Unavailable when there is too much to do."""
    made = await workshop.videos.inspect(content)
    clean = await workshop.videos.transcode(content)
    facts = await workshop.videos.inspect(clean)
    preview = await workshop.videos.watermark(clean, text=workshop.watermark)
    poster = await workshop.videos.poster(preview)  # of what is marked, and so marked itself
    original = await _put(
        asset_id, f"original.{made.format}", content, made.content_type, workshop.storage
    )
    copies: dict[MediaCopy, Copy] = {
        MediaCopy.CLEAN: Cut(clean, MP4),
        MediaCopy.PREVIEW: Cut(preview, MP4),
        MediaCopy.THUMBNAIL: poster,
    }
    stored = await sign_and_store(asset_id, content, copies, generation, workshop=workshop)
    kept = stored[MediaCopy.CLEAN]
    asset = _asset(asset_id, Media.VIDEO, kept, generation, workshop=workshop)
    asset.width, asset.height, asset.duration_ms = facts.width, facts.height, facts.duration_ms
    asset.original_key = original.key
    asset.preview_key = stored[MediaCopy.PREVIEW].key
    asset.thumbnail_key = stored[MediaCopy.THUMBNAIL].key
    return asset


async def finish_sound(
    asset_id: UUID, content: bytes, generation: Generation, *, workshop: Workshop
) -> Asset:
    """An Ogg cannot be signed, and is delivered without. Raises MediaRefused, MediaTypeRefused;
    Unavailable: try again."""
    facts = await workshop.videos.inspect_audio(content)
    if carried_by(content) is None:
        kept = await _put(
            asset_id, f"clean.{facts.format}", content, facts.content_type, workshop.storage
        )
    else:
        copies = {MediaCopy.CLEAN: Cut(content, facts.content_type)}
        stored = await sign_and_store(asset_id, content, copies, generation, workshop=workshop)
        kept = stored[MediaCopy.CLEAN]
    asset = _asset(asset_id, Media.AUDIO, kept, generation, workshop=workshop)
    asset.duration_ms = facts.duration_ms
    return asset


async def finish_mesh(
    asset_id: UUID, content: bytes, generation: Generation, *, workshop: Workshop
) -> Asset:
    """glTF has no place for content credentials. Raises OutputRefused; Unavailable when our storage
    fails: try again."""
    if not is_binary_gltf(content):
        raise OutputRefused("This is no binary glTF.")
    kept = await _put(asset_id, "clean.glb", content, MESH_TYPE, workshop.storage)
    return _asset(asset_id, Media.MODEL_3D, kept, generation, workshop=workshop)


async def _put(
    asset_id: UUID, name: str, content: bytes, content_type: str, storage: ObjectStorage
) -> StoredObject:
    return await storage.put(f"assets/{asset_id}/{name}", content, content_type=content_type)


def _asset(
    asset_id: UUID, media: Media, clean: StoredObject, generation: Generation, *, workshop: Workshop
) -> Asset:
    return Asset(
        id=asset_id,
        owner_id=generation.owner_id,
        purpose=AssetPurpose.GENERATION,
        media=media,
        content_type=clean.content_type,
        size_bytes=clean.size_bytes,
        sha256=clean.sha256,
        clean_key=clean.key,
        generation_id=generation.id,
        clean_for_owner=generation.clean_for_owner,
        created_at=workshop.clock.now(),
    )
