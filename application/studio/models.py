"""Train a likeness model from a creator's own images; what comes of it stays with us."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.licensing.decisions import Decided, record_decisions
from application.licensing.derivatives import require_parties, sources_among
from application.licensing.standing import LicenceRefused, standing_terms
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.live import LiveEvents
from application.ports.studio import ModelRow, StudioViews
from application.ports.unit_of_work import UnitOfWork
from application.studio.changes import carry_on, commit_cases, new_case
from application.studio.pricing import hold_price
from domain.creators.likeness_model import (
    DEFAULT_STEPS,
    MAX_IMAGES,
    MIN_IMAGES,
    LikenessModel,
    check_training_images,
)
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentUse
from domain.licensing.record import DecisionPoint
from domain.licensing.terms import Capability
from domain.licensing.use import Action, Use
from domain.studio.job import JobStatus


class TrainModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`trigger_word` calls the person in a prompt: choose one that is no ordinary word.

    `asset_ids` are 1 to 50 uploaded images with purpose training_image, at most 300 MB together;
    a dozen different ones make a good likeness.
    """

    trigger_word: Annotated[
        str, msgspec.Meta(pattern="^[A-Za-z][A-Za-z0-9_]{2,31}$", examples=["adl4ce"])
    ]
    asset_ids: Annotated[list[UUID], msgspec.Meta(min_length=MIN_IMAGES, max_length=MAX_IMAGES)]
    steps: Annotated[int, msgspec.Meta(ge=100, le=5000)] = DEFAULT_STEPS


class ModelStatus(StrEnum):
    PENDING = "pending"
    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`progress` is a percentage. Weights are never given out."""

    id: UUID
    creator_id: UUID
    status: ModelStatus
    progress: int
    trigger_word: str
    steps: int
    image_count: int
    error: str | None
    created_at: datetime


class AcceptedModel(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: ModelStatus


async def train_model(
    creator_id: UUID,
    command: TrainModel,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    live: LiveEvents,
) -> AcceptedModel:
    """Raises NotFound, TrainingImagesRefused, ConsentMissing, NoLicence, LicenceRefused,
    SourceNotLicensed: the set has an image, made here, of somebody else."""
    now, model_id = clock.now(), ids.new()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        images = await uow.assets.many(command.asset_ids)
        check_training_images(command.asset_ids, images, owner_id=creator.user_id)
        standing = await standing_terms(uow, creator.id)
        consent = standing.require_consent(ConsentUse.TRAIN)
        terms = standing.terms_in_force()
        by_id = {image.id: image for image in images}
        ordered = [by_id[asset_id] for asset_id in command.asset_ids]
        sources = await sources_among(ordered, uow=uow)
        require_parties(sources, standing)
        use = Use(
            action=Action.TRAIN,
            at=now,
            capability=Capability.TRAIN,
            by_creator=True,
            trains_ai=bool(sources),
            revoked_from=standing.revoked_from(),
        )
        decision = standing.decide(use)
        decided = Decided(
            point=DecisionPoint.TRAINING,
            subject_id=model_id if decision.allowed else None,
            terms=terms,
            use=use,
            decision=decision,
            sublicence=standing.beside(None, at=now),
        )
        record_decisions([decided], actor=actor, uow=uow, ids=ids, at=now)
        if not decision.allowed:
            await uow.commit()
            raise LicenceRefused(decision)
        model = LikenessModel(
            id=model_id,
            creator_id=creator.id,
            trigger_word=command.trigger_word,
            asset_ids=tuple(command.asset_ids),
            steps=command.steps,
            terms_id=terms.id,
            terms_version=terms.version,
            terms_hash=terms.hash,
            consent_id=consent.id,
            created_at=now,
        )
        uow.models.add(model)
        case = new_case(uow, model, owner_id=actor.user_id, ids=ids, at=now)
        await hold_price(uow, case, model, durations_ms={}, at=now)
        carry_on(uow, case, model, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedModel(id=model_id, status=ModelStatus.PENDING)


async def list_models(
    creator_id: UUID, *, actor: Actor, uow: UnitOfWork, views: StudioViews
) -> Sequence[ModelDetails]:
    """The creator's own models, newest first. Raises NotFound for anybody else."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
    return [_details_of(row) for row in await views.models(creator_id)]


async def read_model(
    creator_id: UUID, model_id: UUID, *, actor: Actor, uow: UnitOfWork, views: StudioViews
) -> ModelDetails:
    """Raises NotFound for anybody but the creator."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
    return _details_of(await views.model(model_id, creator_id=creator_id))


def _details_of(row: ModelRow) -> ModelDetails:
    return ModelDetails(
        id=row.id,
        creator_id=row.creator_id,
        status=_status_of(row.job_status),
        progress=row.progress,
        trigger_word=row.trigger_word,
        steps=row.steps,
        image_count=row.image_count,
        error=row.error_message,
        created_at=row.created_at,
    )


def _status_of(status: JobStatus) -> ModelStatus:
    match status:
        case JobStatus.ACCEPTED | JobStatus.MODERATED | JobStatus.RESERVED | JobStatus.QUEUED:
            return ModelStatus.PENDING
        case JobStatus.RUNNING | JobStatus.INGESTING:
            return ModelStatus.TRAINING
        case JobStatus.SUCCEEDED:
            return ModelStatus.READY
        case JobStatus.FAILED | JobStatus.CANCELLED | JobStatus.EXPIRED:
            return ModelStatus.FAILED
