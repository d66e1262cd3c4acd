"""What a step is made from, loaded and checked, and put into a request that an engine takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from application.licensing.standing import standing_terms
from application.ports.engines import (
    CharacterToImage,
    EngineRequest,
    ImageToMesh,
    ImageToVideo,
    LikenessWeights,
    PhotoToImage,
    TalkingPortrait,
    TextToImage,
    TextToSpeech,
    TrainLikeness,
    TransferMotion,
    UpscaleImage,
)
from application.ports.storage import ObjectMissing
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import Case, Subject, subject_of
from application.studio.workshop import Workshop
from domain.creators.likeness_model import LikenessModel
from domain.licensing.consent import ConsentMissing, ConsentUse
from domain.media.asset import Asset
from domain.shared.errors import NotFound
from domain.studio.attempt import Attempt
from domain.studio.generation import Generation, Mode
from domain.studio.inputs import seed_of
from domain.studio.pipelines import JobKind, StepType
from domain.studio.step import Step, made_before

INPUT_LIFE = timedelta(hours=24)
"""How long a provider can fetch what it works from; it may queue for hours."""

CONSENT_FOR = {
    JobKind.TRAINING: ConsentUse.TRAIN,
    JobKind.IMAGE: ConsentUse.IMAGE,
    JobKind.VIDEO: ConsentUse.VIDEO,
    JobKind.TALKING_AVATAR: ConsentUse.TALKING_AVATAR,
    JobKind.MODEL_3D: ConsentUse.MODEL_3D,
    JobKind.SPEECH: ConsentUse.VOICE,
}


class InputLost(Exception):
    """What the attempt would work from is not there any more; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Inputs:
    """`assets` are those that the subject names, by their ids."""

    step: Step
    steps: Sequence[Step]
    subject: Subject
    model: LikenessModel | None
    assets: dict[UUID, Asset] = field(default_factory=dict)


async def inputs_of(case: Case, step: Step, *, uow: UnitOfWork, at: datetime) -> Inputs:
    """Raises InputLost: consent was withdrawn, the licence revoked, or something deleted, the
    model too, since it was accepted."""
    subject = await subject_of(uow, case.job)
    if subject.creator_id is not None:
        await _require_consent(subject.creator_id, CONSENT_FOR[case.job.kind], uow=uow, at=at)
    model = None
    if isinstance(subject, LikenessModel):
        if subject.is_deleted:
            raise InputLost("model_deleted")
        wanted: set[UUID | None] = set(subject.asset_ids)
    else:
        if step.type is StepType.IMAGE_GENERATION and subject.model_id is not None:
            model = await _model(subject.model_id, uow=uow)
        wanted = {
            subject.scene_asset_id,
            subject.source_asset_id,
            subject.audio_asset_id,
            subject.motion.driving_asset_id,
            *(subject.reference_ids if step.type is StepType.IMAGE_GENERATION else ()),
        }
    ids = {asset_id for asset_id in wanted if asset_id is not None}
    assets = {asset.id: asset for asset in await uow.assets.many(ids)} if ids else {}
    if len(assets) < len(ids):
        raise InputLost("input_missing")
    return Inputs(step, case.steps, subject, model, assets)


async def request_for(inputs: Inputs, attempt: Attempt, *, workshop: Workshop) -> EngineRequest:
    """Raises ObjectMissing; Unavailable when our own storage cannot be reached."""
    subject, step = inputs.subject, inputs.step
    if isinstance(subject, LikenessModel):
        return await _training(subject, inputs, attempt, workshop=workshop)

    async def url_of(key: str) -> str:
        return await workshop.storage.signed_url(key, expires_in=INPUT_LIFE)

    async def made_or_given(kind: StepType, asset_id: UUID | None) -> str:
        made = made_before(inputs.steps, step, kind)
        if made is not None and made.results:
            return await url_of(made.results[0].key)
        if asset_id is None:
            raise ObjectMissing(f"the {kind} of {step.id}")
        return await url_of(inputs.assets[asset_id].clean_key)

    motion = subject.motion
    match step.type:
        case StepType.IMAGE_GENERATION if subject.is_invented:
            references = [inputs.assets[asset_id] for asset_id in subject.reference_ids]
            return CharacterToImage(
                prompt=subject.prompt,
                references_url=await _archive(references, attempt, workshop=workshop),
                seed=seed_of(subject, step),
                width=subject.width,
                height=subject.height,
            )
        case StepType.IMAGE_GENERATION:
            return await _image(subject, inputs, url_of)
        case StepType.UPSCALING:
            return UpscaleImage(
                image_url=await made_or_given(StepType.IMAGE_GENERATION, None),
                factor=4 if subject.upscale == 4 else 2,
            )
        case StepType.SPEECH_SYNTHESIS if subject.speech is not None:
            return TextToSpeech(text=subject.speech.text, voice=subject.speech.voice)
        case StepType.VIDEO_SYNTHESIS if subject.kind is JobKind.TALKING_AVATAR:
            return TalkingPortrait(
                image_url=await made_or_given(StepType.IMAGE_GENERATION, subject.source_asset_id),
                audio_url=await made_or_given(StepType.SPEECH_SYNTHESIS, subject.audio_asset_id),
                still=motion.still_head,
            )
        case StepType.VIDEO_SYNTHESIS:
            return ImageToVideo(
                image_url=await made_or_given(StepType.IMAGE_GENERATION, subject.source_asset_id),
                motion=motion.strength,
                deviation=motion.deviation,
                frames_per_second=motion.frames_per_second,
                seed=seed_of(subject, step),
            )
        case StepType.MOTION_TRANSFER if motion.driving_asset_id is not None:
            driving = inputs.assets[motion.driving_asset_id]
            return TransferMotion(
                image_url=await made_or_given(StepType.IMAGE_GENERATION, subject.source_asset_id),
                driving_video_url=await url_of(driving.clean_key),
            )
        case StepType.MODEL_3D:
            return ImageToMesh(
                image_url=await made_or_given(StepType.IMAGE_GENERATION, subject.source_asset_id)
            )
        case _:
            raise ObjectMissing(f"what {step.type} of {step.id} works from")


ARCHIVED = frozenset({"train_likeness", "character_to_image"})
"""Requests whose images go in an archive."""


def archive_key(attempt_id: UUID) -> str:
    """Where the images of a training, or of an invented person, are kept for the provider, until
    it is over."""
    return f"training/{attempt_id}.zip"


async def _image(
    subject: Generation, inputs: Inputs, url_of: Callable[[str], Awaitable[str]]
) -> TextToImage | PhotoToImage:
    model = inputs.model
    if model is None or model.weights_key is None:
        raise ObjectMissing(f"models/{subject.model_id}")
    weights = LikenessWeights(
        trigger_word=model.trigger_word, weights_url=await url_of(model.weights_key)
    )
    seed = seed_of(subject, inputs.step)
    if subject.mode is Mode.TEXT or subject.scene_asset_id is None:
        return TextToImage(
            prompt=subject.prompt,
            weights=weights,
            seed=seed,
            width=subject.width,
            height=subject.height,
        )
    return PhotoToImage(
        prompt=subject.prompt,
        weights=weights,
        scene_image_url=await url_of(inputs.assets[subject.scene_asset_id].clean_key),
        seed=seed,
        width=subject.width,
        height=subject.height,
    )


async def _training(
    model: LikenessModel, inputs: Inputs, attempt: Attempt, *, workshop: Workshop
) -> TrainLikeness:
    images = [inputs.assets[asset_id] for asset_id in model.asset_ids]
    return TrainLikeness(
        trigger_word=model.trigger_word,
        archive_url=await _archive(images, attempt, workshop=workshop),
        steps=model.steps,
    )


async def _archive(images: Sequence[Asset], attempt: Attempt, *, workshop: Workshop) -> str:
    """The address of a ZIP of these images."""
    storage = workshop.storage
    contents = await asyncio.gather(*(storage.get(image.clean_key) for image in images))
    archive = await workshop.images.archive(
        [
            (f"{number:02}.{image.content_type.removeprefix('image/')}", content)
            for number, (image, content) in enumerate(zip(images, contents, strict=True), 1)
        ]
    )
    key = archive_key(attempt.id)
    await storage.put(key, archive, content_type="application/zip")
    return await storage.signed_url(key, expires_in=INPUT_LIFE)


async def _model(model_id: UUID, *, uow: UnitOfWork) -> LikenessModel:
    try:
        model = await uow.models.get(model_id)
    except NotFound as error:
        raise InputLost("input_missing") from error
    if model.is_deleted:
        raise InputLost("model_deleted")
    return model


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
