"""Ask for something made from a creator's likeness, cancel it, start it again, delete it.

Accepted is what consent, the licence in force and a trained model allow at that moment; every
decision is recorded, refusals too. The work itself happens later, step by step.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import (
    Case,
    carry_on,
    commit_cases,
    give_up_rest,
    locked_case,
    new_case,
)
from application.studio.permission import Wish, permit
from domain.identity.actor import Actor
from domain.licensing.terms import Purpose
from domain.media.asset import Asset, AssetPurpose, AssetState, Media
from domain.shared.errors import NotFound
from domain.studio.generation import (
    PIXELS,
    AspectRatio,
    Generation,
    Mode,
    ModelNotReady,
    check_scene,
)
from domain.studio.job import JobStatus

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
        generation = Generation(
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
        uow.generations.add(generation)
        case = new_case(uow, generation, owner_id=actor.user_id, ids=ids, at=now)
        carry_on(uow, case, generation, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def retry_generation(
    generation_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
) -> AcceptedJob:
    """Start it again at the first step that is not done, under the terms in force now.

    Raises JobNotRetryable and what a new request would raise."""
    now = clock.now()
    async with uow:
        generation, case = await _own(generation_id, actor=actor, uow=uow)
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
        case.job.start_again(at=now)
        generation.terms_id = terms.id
        generation.terms_version = terms.version
        generation.terms_hash = terms.hash
        carry_on(uow, case, generation, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def cancel_generation(
    generation_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock, live: LiveEvents
) -> AcceptedJob:
    """Stop it, as far as the provider lets us; what it still makes is hidden. Raises JobEnded."""
    now = clock.now()
    async with uow:
        _, case = await _own(generation_id, actor=actor, uow=uow)
        case.job.cancel(at=now)
        give_up_rest(uow, case, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedJob(id=case.job.id, status=case.job.status)


async def _own(generation_id: UUID, *, actor: Actor, uow: UnitOfWork) -> tuple[Generation, Case]:
    generation = await uow.generations.get(generation_id)
    if generation.owner_id != actor.user_id or generation.deleted_at is not None:
        raise NotFound("generation", generation_id)
    return generation, await locked_case(uow, generation_id)


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
