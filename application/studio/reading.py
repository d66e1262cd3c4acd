"""Look at what was asked for: how far it is, what came of it, and under which licence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from application.media.delivery import shown_url
from application.ports.storage import ObjectStorage
from application.ports.studio import GenerationRow, ImageRow, StudioViews
from domain.identity.actor import Actor
from domain.studio.generation import Mode
from domain.studio.job import JobStatus


class GenerationImage(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    preview_url: str | None
    thumbnail_url: str | None


class FailureDetails(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class LicenceReference(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that it was made under."""

    terms_id: UUID
    version: int
    hash: str


class GenerationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`progress` is a percentage. The images here carry a watermark; who has bought one finds the
    clean copy at `GET /assets/{id}`."""

    id: UUID
    creator_id: UUID
    status: JobStatus
    progress: int
    current_step: str
    mode: Mode
    kind: Literal["image"] = "image"
    prompt: str
    seed: int
    assets: Sequence[GenerationImage]
    error: FailureDetails | None
    licence: LicenceReference
    created_at: datetime


async def read_generation(
    generation_id: UUID, *, actor: Actor, views: StudioViews, storage: ObjectStorage
) -> GenerationDetails:
    """Raises NotFound for anybody but its owner."""
    row = await views.generation(generation_id, owner_id=actor.user_id)
    return await _details_of(row, storage=storage)


async def list_generations(
    *,
    actor: Actor,
    before: tuple[datetime, UUID] | None,
    limit: int,
    views: StudioViews,
    storage: ObjectStorage,
) -> list[GenerationDetails]:
    """The actor's, newest first."""
    rows = await views.generations(actor.user_id, before=before, limit=limit)
    return await asyncio.gather(*(_details_of(row, storage=storage) for row in rows))


async def _details_of(row: GenerationRow, *, storage: ObjectStorage) -> GenerationDetails:
    images = await asyncio.gather(*(_linked(image, storage=storage) for image in row.images))
    error = None
    if row.error_code is not None:
        error = FailureDetails(code=row.error_code, message=row.error_message or "")
    return GenerationDetails(
        id=row.id,
        creator_id=row.creator_id,
        status=row.status,
        progress=row.progress,
        current_step=row.current_step,
        mode=row.mode,
        prompt=row.prompt,
        seed=row.seed,
        assets=images,
        error=error,
        licence=LicenceReference(
            terms_id=row.terms_id, version=row.terms_version, hash=row.terms_hash
        ),
        created_at=row.created_at,
    )


async def _linked(image: ImageRow, *, storage: ObjectStorage) -> GenerationImage:
    preview, thumbnail = await asyncio.gather(
        shown_url(image.preview_key, storage=storage),
        shown_url(image.thumbnail_key, storage=storage),
    )
    return GenerationImage(id=image.id, preview_url=preview, thumbnail_url=thumbnail)
