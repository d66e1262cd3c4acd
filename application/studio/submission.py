"""Send an attempt to its provider, exactly once.

Inputs are prepared first, then the attempt is marked as being sent and committed, then the call is
made with no transaction open. Whoever dies in between leaves a mark that the sweep clears up;
nobody sends the same attempt again, for a second call would be a second bill.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.licensing.standing import standing_terms
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.generation import (
    AttemptRef,
    GenerationRequest,
    ProviderJob,
    TrainingRequest,
)
from application.ports.messages import Message
from application.ports.storage import ObjectMissing
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import commit_job, locked_job, try_again_or_fail
from application.studio.completion import ProviderReport, apply_provider_job
from application.studio.workshop import Workshop, for_each_attempt
from domain.creators.likeness_model import LikenessModel
from domain.licensing.consent import ConsentMissing, ConsentUse
from domain.media.asset import Asset
from domain.shared.errors import NotFound
from domain.studio.attempt import Attempt, AttemptStatus
from domain.studio.failures import failure_message
from domain.studio.generation import Generation, Mode
from domain.studio.job import JobKind

INPUT_LIFE = timedelta(hours=24)
"""How long a provider can fetch what it works from; it may queue for hours."""


class InputLost(Exception):
    """What the attempt would work from is not there any more; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GenerationInputs(msgspec.Struct, frozen=True):
    generation: Generation
    model: LikenessModel
    scene: Asset | None


class TrainingInputs(msgspec.Struct, frozen=True):
    model: LikenessModel
    images: list[Asset]


async def submit_attempts(
    messages: Sequence[Message], *, workshop: Workshop
) -> Mapping[UUID, Exception]:
    """Handles `studio.submit_attempt`."""

    async def submit(attempt_id: UUID) -> None:
        await submit_attempt(attempt_id, workshop=workshop)

    return await for_each_attempt(messages, submit)


async def submit_attempt(attempt_id: UUID, *, workshop: Workshop) -> None:
    """Raises Unavailable when our own storage cannot be reached: nothing was sent."""
    try:
        async with (uow := workshop.new_uow()):
            attempt = await uow.attempts.get(attempt_id)
            job = await uow.jobs.get(attempt.job_id)
            if attempt.status is not AttemptStatus.PLANNED or not job.awaits_provider:
                return
            inputs = await _inputs_of(attempt, job.kind, uow=uow, at=workshop.clock.now())
    except InputLost as lost:
        await _give_up(attempt_id, lost.code, workshop=workshop, retryable=False)
        return
    try:
        request = await _request_for(inputs, attempt, workshop=workshop)
    except ObjectMissing:
        await _give_up(attempt_id, "input_missing", workshop=workshop, retryable=False)
        return
    provider = (
        workshop.generator_for(attempt, Mode(request.mode))
        if isinstance(request, GenerationRequest)
        else workshop.trainer_for(attempt)
    ).provider
    if not await _begin(attempt_id, provider, workshop=workshop):
        return
    ref = AttemptRef(attempt_id=attempt_id, webhook_url=workshop.webhook_url(attempt, provider))
    try:
        taken = await _send(request, ref, attempt, workshop=workshop)
    except Unavailable as error:
        await _give_up(
            attempt_id,
            "unavailable",
            workshop=workshop,
            retryable=True,
            retry_after_s=error.retry_after_s,
        )
    except Rejected as error:
        code = "content_refused" if error.reason.startswith("content") else "refused"
        await _give_up(attempt_id, code, workshop=workshop, retryable=False)
    except OutcomeUnknown:
        await _lose_answer(attempt_id, workshop=workshop)
    else:
        report = ProviderReport(
            provider=provider, request_id=taken.request_id, attempt_id=attempt_id, job=taken
        )
        await apply_provider_job(report, workshop=workshop)


async def _inputs_of(
    attempt: Attempt, kind: JobKind, *, uow: UnitOfWork, at: datetime
) -> GenerationInputs | TrainingInputs:
    """Raises InputLost: consent was withdrawn, the licence revoked, or an image deleted, since it
    was accepted."""
    if kind is JobKind.TRAINING:
        model = await uow.models.get(attempt.job_id)
        await _require_consent(model.creator_id, ConsentUse.TRAIN, uow=uow, at=at)
        images = {asset.id: asset for asset in await uow.assets.many(model.asset_ids)}
        if len(images) < len(model.asset_ids):
            raise InputLost("input_missing")
        return TrainingInputs(model, [images[asset_id] for asset_id in model.asset_ids])
    generation = await uow.generations.get(attempt.job_id)
    await _require_consent(generation.creator_id, ConsentUse.IMAGE, uow=uow, at=at)
    scene = None
    if generation.scene_asset_id is not None:
        try:
            scene = await uow.assets.get(generation.scene_asset_id)
        except NotFound as error:
            raise InputLost("input_missing") from error
    return GenerationInputs(generation, await uow.models.get(generation.model_id), scene)


async def _require_consent(
    creator_id: UUID, use: ConsentUse, *, uow: UnitOfWork, at: datetime
) -> None:
    standing = await standing_terms(uow, creator_id)
    revoked_from = standing.revoked_from()
    if revoked_from is not None and at >= revoked_from:
        raise InputLost("licence_revoked")
    try:
        standing.require_consent(use)
    except ConsentMissing as error:
        raise InputLost("consent_missing") from error


async def _request_for(
    inputs: GenerationInputs | TrainingInputs, attempt: Attempt, *, workshop: Workshop
) -> GenerationRequest | TrainingRequest:
    storage = workshop.storage
    if isinstance(inputs, TrainingInputs):
        contents = await asyncio.gather(*(storage.get(image.clean_key) for image in inputs.images))
        archive = await workshop.images.archive(
            [
                (f"{number:02}.{image.content_type.removeprefix('image/')}", content)
                for number, (image, content) in enumerate(
                    zip(inputs.images, contents, strict=True), 1
                )
            ]
        )
        key = archive_key(attempt.id)
        await storage.put(key, archive, content_type="application/zip")
        return TrainingRequest(
            trigger_word=inputs.model.trigger_word,
            archive_url=await storage.signed_url(key, expires_in=INPUT_LIFE),
            steps=inputs.model.steps,
        )
    generation, model, scene = inputs.generation, inputs.model, inputs.scene
    if model.weights_key is None:
        raise ObjectMissing(f"models/{model.id}")
    return GenerationRequest(
        mode=generation.mode.value,
        prompt=generation.prompt,
        trigger_word=model.trigger_word,
        weights_url=await storage.signed_url(model.weights_key, expires_in=INPUT_LIFE),
        scene_image_url=(
            await storage.signed_url(scene.clean_key, expires_in=INPUT_LIFE) if scene else None
        ),
        seed=generation.seed,
        width=generation.width,
        height=generation.height,
    )


def archive_key(attempt_id: UUID) -> str:
    """Where the images of a training are kept for its provider, until it is over."""
    return f"training/{attempt_id}.zip"


async def _begin(attempt_id: UUID, provider: str, *, workshop: Workshop) -> bool:
    """Mark it as being sent; False when it must not be (any more)."""
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, attempt = await locked_job(uow, attempt_id)
        if attempt.status is not AttemptStatus.PLANNED or not job.awaits_provider:
            return False
        attempt.begin(provider, at=now)
        await uow.commit()
    return True


async def _send(
    request: GenerationRequest | TrainingRequest,
    ref: AttemptRef,
    attempt: Attempt,
    *,
    workshop: Workshop,
) -> ProviderJob:
    if isinstance(request, GenerationRequest):
        return await workshop.generator_for(attempt, Mode(request.mode)).submit(request, ref)
    return await workshop.trainer_for(attempt).submit(request, ref)


async def _give_up(
    attempt_id: UUID,
    code: str,
    *,
    workshop: Workshop,
    retryable: bool,
    retry_after_s: float | None = None,
) -> None:
    uow, now = workshop.new_uow(), workshop.clock.now()
    async with uow:
        job, attempt = await locked_job(uow, attempt_id)
        if attempt.has_ended:
            return
        before = job.face
        attempt.fail(code, failure_message(code))
        await try_again_or_fail(
            uow,
            job,
            attempt,
            ids=workshop.ids,
            at=now,
            retryable=retryable,
            retry_after_s=retry_after_s,
        )
        await commit_job(uow, job, before=before, live=workshop.live, at=now)


async def _lose_answer(attempt_id: UUID, *, workshop: Workshop) -> None:
    uow = workshop.new_uow()
    async with uow:
        _, attempt = await locked_job(uow, attempt_id)
        attempt.lose_answer()
        await uow.commit()
