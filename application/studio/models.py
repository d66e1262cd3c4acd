"""Train a version of a likeness model from a creator's own images, and follow what comes of it."""

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
from application.studio.changes import begin, commit_cases, new_case
from application.studio.pricing import hold_price
from application.studio.reading import LicenceReference
from domain.creators.likeness_model import (
    DEFAULT_STEPS,
    DeletionReason,
    LikenessModel,
)
from domain.creators.likeness_model import ModelStatus as Kept
from domain.creators.training_set import (
    MAX_IMAGES,
    TrainingImage,
    TrainingPolicy,
    check_trigger_word,
    manifest_hash,
    require_training_images,
)
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentUse
from domain.licensing.record import DecisionPoint
from domain.licensing.terms import Capability
from domain.licensing.use import Action, Use
from domain.studio.job import JobStatus


class TrainModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`trigger_word` calls the person in a prompt: choose one that is no ordinary word.

    `asset_ids` are up to 50 uploaded images with purpose training_image, at most 300 MB together;
    a dozen different ones make a good likeness. `POST models/check` says beforehand what is wrong
    with which. With `put_in_force` the version is used by
    everything that is generated, as soon as it is ready.
    """

    trigger_word: Annotated[
        str, msgspec.Meta(pattern="^[A-Za-z][A-Za-z0-9_]{2,31}$", examples=["adl4ce"])
    ]
    asset_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MAX_IMAGES)]
    steps: Annotated[int, msgspec.Meta(ge=100, le=5000)] = DEFAULT_STEPS
    put_in_force: bool = True


class ModelStatus(StrEnum):
    PENDING = "pending"
    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"
    RETIRED = "retired"
    DELETED = "deleted"


class TrainedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The SHA-256 is that of the clean copy, which is what was sent."""

    asset_id: UUID
    sha256: str


class DeletionDetails(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    reason: DeletionReason


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`version` counts the creator's trainings; the one `in_force` is used where none is named.
    `progress` is a percentage. `manifest_hash` names the images that it was trained from,
    `weights_sha256` the weights, which are never given out; both outlive a deletion, of which
    `deletion` tells. `licence` is what it was trained under.
    """

    id: UUID
    creator_id: UUID
    version: int
    status: ModelStatus
    in_force: bool
    progress: int
    trigger_word: str | None
    base_model: str
    provider: str | None
    trainer: str | None
    steps: int
    image_count: int
    training_set: Sequence[TrainedFrom]
    manifest_hash: str
    weights_sha256: str | None
    weights_bytes: int | None
    licence: LicenceReference
    error: str | None
    deletion: DeletionDetails | None
    created_at: datetime
    ready_at: datetime | None


class AcceptedModel(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    version: int
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
    policy: TrainingPolicy,
) -> AcceptedModel:
    """Raises TriggerWordRefused, NotFound, TrainingImagesRefused, ConsentMissing, NoLicence,
    LicenceRefused; SourceNotLicensed: the set has an image, made here, of somebody else."""
    check_trigger_word(command.trigger_word)
    now, model_id = clock.now(), ids.new()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        images = await uow.assets.many(command.asset_ids)
        require_training_images(command.asset_ids, images, owner_id=creator.user_id, policy=policy)
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
        training_set = tuple(TrainingImage(image.id, image.sha256) for image in ordered)
        model = LikenessModel(
            id=model_id,
            creator_id=creator.id,
            version=await uow.models.next_version(creator.id),
            takes_force=command.put_in_force,
            trigger_word=command.trigger_word,
            training_set=training_set,
            manifest_hash=manifest_hash(training_set),
            steps=command.steps,
            terms_id=terms.id,
            terms_version=terms.version,
            terms_hash=terms.hash,
            consent_id=consent.id,
            created_at=now,
        )
        case = new_case(model, owner_id=actor.user_id, ids=ids, at=now)
        await hold_price(uow, case, model, durations_ms={}, at=now)
        uow.models.add(model)
        begin(uow, case, model, at=now)
        await commit_cases(uow, case, live=live, at=now)
    return AcceptedModel(id=model_id, version=model.version, status=ModelStatus.PENDING)


async def list_models(
    creator_id: UUID,
    *,
    actor: Actor,
    before_version: int | None,
    limit: int,
    uow: UnitOfWork,
    views: StudioViews,
) -> list[ModelDetails]:
    """The creator's own versions, newest first, tombstones too. Raises NotFound for anybody
    else."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
    rows = await views.models(creator_id, before_version=before_version, limit=limit)
    return [_details_of(row) for row in rows]


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
        version=row.version,
        status=_status_of(row),
        in_force=row.in_force,
        progress=row.progress,
        trigger_word=row.trigger_word or None,
        base_model=row.base_model,
        provider=row.provider,
        trainer=row.trainer,
        steps=row.steps,
        image_count=len(row.training_set),
        training_set=[
            TrainedFrom(asset_id=image.asset_id, sha256=image.sha256) for image in row.training_set
        ],
        manifest_hash=row.manifest_hash,
        weights_sha256=row.weights_sha256,
        weights_bytes=row.weights_bytes,
        licence=LicenceReference(
            terms_id=row.terms_id, version=row.terms_version, hash=row.terms_hash
        ),
        error=row.error_message,
        deletion=_deletion_of(row),
        created_at=row.created_at,
        ready_at=row.ready_at,
    )


def _deletion_of(row: ModelRow) -> DeletionDetails | None:
    if row.deleted_at is None or row.deletion_reason is None:
        return None
    return DeletionDetails(at=row.deleted_at, reason=row.deletion_reason)


def _status_of(row: ModelRow) -> ModelStatus:
    at_work = row.job_status in {JobStatus.RUNNING, JobStatus.INGESTING}
    if row.status is Kept.TRAINING and not at_work:
        return ModelStatus.PENDING
    return ModelStatus(row.status.value)
