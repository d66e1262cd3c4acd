"""Ask for an image of a creator's likeness, follow it, cancel it, start it again.

Accepted is what consent, the licence in force and a trained model allow at that moment; every
decision is recorded, refusals too. The work itself happens later, attempt by attempt.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from application.media.delivery import shown_url
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.storage import ObjectStorage
from application.ports.studio import GenerationRow, ImageRow, StudioViews
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import ask_to_stop, commit_job, plan_attempt
from application.studio.permission import Wish, permit
from domain.identity.actor import Actor
from domain.licensing.terms import Purpose
from domain.media.asset import Asset, AssetPurpose, AssetState, Media
from domain.shared.errors import NotFound
from domain.studio.attempt import AttemptStatus
from domain.studio.generation import (
    PIXELS,
    AspectRatio,
    Generation,
    Mode,
    ModelNotReady,
    check_scene,
)
from domain.studio.job import Job, JobKind, JobStatus

_SEED_MASK = 2**31 - 1


class RequestGeneration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scene_asset_id` is for photo mode: an image of the caller's with purpose scene_image, or an
    image that was generated for them or bought by them. Of the latter it is a derivative."""

    creator_id: UUID
    prompt: Annotated[
        str, msgspec.Meta(min_length=1, max_length=2000, examples=["at a harbour at dawn"])
    ]
    mode: Mode = Mode.TEXT
    kind: Literal["image"] = "image"
    scene_asset_id: UUID | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=_SEED_MASK)] | None = None
    aspect_ratio: AspectRatio = AspectRatio.SQUARE
    purpose: Purpose = Purpose.PERSONAL


class AcceptedJob(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: JobStatus


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


async def request_generation(
    command: RequestGeneration,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
) -> AcceptedJob:
    """Raises SceneRequired, NotFound, ConsentMissing, NoLicence, SourceNotLicensed, ModelNotReady,
    LicenceRefused, QuotaExhausted; ApprovalNeeded: whose word is missing is asked, and the same
    wish may be sent again."""
    check_scene(command.mode, command.scene_asset_id)
    now, job_id = clock.now(), ids.new()
    async with uow:
        scene = await _scene(command.scene_asset_id, actor=actor, uow=uow)
        wish = Wish(
            generation_id=job_id,
            creator_id=command.creator_id,
            prompt=command.prompt,
            purpose=command.purpose,
            inputs=scene,
        )
        terms, model_id = await permit(wish, actor=actor, uow=uow, ids=ids, at=now)
        if model_id is None:
            raise ModelNotReady("The creator has no trained likeness model yet.")
        width, height = PIXELS[command.aspect_ratio]
        uow.generations.add(
            Generation(
                id=job_id,
                owner_id=actor.user_id,
                creator_id=command.creator_id,
                model_id=model_id,
                mode=command.mode,
                prompt=command.prompt,
                purpose=command.purpose,
                scene_asset_id=command.scene_asset_id,
                seed=job_id.int & _SEED_MASK if command.seed is None else command.seed,
                width=width,
                height=height,
                terms_id=terms.id,
                terms_version=terms.version,
                terms_hash=terms.hash,
                created_at=now,
            )
        )
        job = Job.accepted(job_id=job_id, kind=JobKind.GENERATION, owner_id=actor.user_id, at=now)
        uow.jobs.add(job)
        plan_attempt(uow, job, 1, ids=ids, at=now, due_at=now)
        await commit_job(uow, job, before=None, live=live, at=now)
    return AcceptedJob(id=job.id, status=job.status)


async def retry_generation(
    generation_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
) -> AcceptedJob:
    """Start it again, under the terms in force now. Raises JobNotRetryable and what a new request
    would raise."""
    now = clock.now()
    async with uow:
        generation, job = await _own(generation_id, actor=actor, uow=uow)
        before = job.face
        scene = await _scene(generation.scene_asset_id, actor=actor, uow=uow)
        wish = Wish(
            generation_id=generation.id,
            creator_id=generation.creator_id,
            prompt=generation.prompt,
            purpose=generation.purpose,
            model_id=generation.model_id,
            inputs=scene,
        )
        terms, _ = await permit(wish, actor=actor, uow=uow, ids=ids, at=now)
        job.start_again(at=now)
        generation.terms_id = terms.id
        generation.terms_version = terms.version
        generation.terms_hash = terms.hash
        plan_attempt(uow, job, 1, ids=ids, at=now, due_at=now)
        await commit_job(uow, job, before=before, live=live, at=now)
    return AcceptedJob(id=job.id, status=job.status)


async def cancel_generation(
    generation_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock, live: LiveEvents
) -> AcceptedJob:
    """Stop it, as far as the provider lets us; what it still makes is hidden. Raises JobEnded."""
    now = clock.now()
    async with uow:
        _, job = await _own(generation_id, actor=actor, uow=uow)
        before = job.face
        job.cancel(at=now)
        for attempt in await uow.attempts.of_job(job.id):
            if attempt.status is AttemptStatus.PLANNED:
                attempt.abandon()
            ask_to_stop(uow, attempt)
        await commit_job(uow, job, before=before, live=live, at=now)
    return AcceptedJob(id=job.id, status=job.status)


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


async def _own(generation_id: UUID, *, actor: Actor, uow: UnitOfWork) -> tuple[Generation, Job]:
    generation = await uow.generations.get(generation_id)
    if generation.owner_id != actor.user_id:
        raise NotFound("generation", generation_id)
    return generation, await uow.jobs.get(generation_id, lock=True)


async def _scene(asset_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> tuple[Asset, ...]:
    """The scene of photo mode, if it is one that the actor may use. Raises NotFound."""
    if asset_id is None:
        return ()
    scene = await uow.assets.get(asset_id)
    own = scene.owner_id == actor.user_id
    usable = scene.media is Media.IMAGE and scene.state is AssetState.READY
    if scene.is_generated and usable:
        if own or actor.user_id in await uow.assets.grantees(asset_id):
            return (scene,)
    elif own and scene.purpose is AssetPurpose.SCENE_IMAGE:
        return (scene,)
    raise NotFound("scene image", asset_id)


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
