"""Choose which version of a likeness model is in force, retire versions, delete them.

A version that is put in force takes it from the one that was; which of two wishes comes last
decides. What is under way goes on with the version that it began with, unless that is deleted.
"""

from uuid import UUID

from application.creators.profile import own_creator
from application.creators.tombstones import bury
from application.media.assets import DELETE_TRAINING_IMAGES, DeleteTrainingImages
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.creators.likeness_model import DeletionReason, LikenessModel
from domain.identity.actor import Actor
from domain.shared.errors import NotFound


async def promote_model(
    creator_id: UUID, model_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> LikenessModel:
    """Put a version in force, a retired one too. Promoting twice is fine.

    Raises NotFound, ModelDeleted, ModelUnusable."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
        every = await uow.models.of_creator(creator_id, lock=True)
        model = next((one for one in every if one.id == model_id), None)
        if model is None:
            raise NotFound("likeness model", model_id)
        model.restore()
        if not model.in_force:
            await uow.models.put_in_force(model)
            _audit("likeness_model.promoted", model, actor=actor, uow=uow)
        await uow.commit()
    return model


async def retire_model(
    creator_id: UUID, model_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> LikenessModel:
    """Take a version out of use, and keep it. Retiring twice is fine.

    Raises NotFound, ModelDeleted, ModelUnusable."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
        model = await _own_model(creator_id, model_id, uow=uow)
        model.retire()
        _audit("likeness_model.retired", model, actor=actor, uow=uow)
        await uow.commit()
    return model


async def delete_model(
    creator_id: UUID,
    model_id: UUID,
    *,
    with_images: bool,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
) -> None:
    """Leave a tombstone; with `with_images` the images that only this version was trained from go
    too. Deleting twice is fine. Raises NotFound."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
        model = await _own_model(creator_id, model_id, uow=uow)
        await _delete([model], with_images=with_images, actor=actor, uow=uow, clock=clock)
        await uow.commit()


async def delete_models(
    creator_id: UUID, *, with_images: bool, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """Every version, with their images if so wished. Raises NotFound."""
    async with uow:
        await own_creator(creator_id, actor=actor, uow=uow)
        models = await uow.models.of_creator(creator_id, lock=True)
        await _delete(models, with_images=with_images, actor=actor, uow=uow, clock=clock)
        await uow.commit()


async def _delete(
    models: list[LikenessModel],
    *,
    with_images: bool,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
) -> None:
    images = {asset_id for model in models for asset_id in model.asset_ids}
    for model in models:
        bury(
            model,
            uow=uow,
            actor=actor,
            by=actor.user_id,
            reason=DeletionReason.BY_CREATOR,
            at=clock.now(),
        )
    if with_images and images:
        others = await uow.models.of_creator(models[0].creator_id)
        images -= {asset_id for other in others for asset_id in other.asset_ids}
    if with_images and images:
        body = DeleteTrainingImages(owner_id=actor.user_id, asset_ids=sorted(images))
        uow.outbox.add(DELETE_TRAINING_IMAGES, body)


async def _own_model(creator_id: UUID, model_id: UUID, *, uow: UnitOfWork) -> LikenessModel:
    model = await uow.models.get(model_id, lock=True)
    if model.creator_id != creator_id:
        raise NotFound("likeness model", model_id)
    return model


def _audit(act: str, model: LikenessModel, *, actor: Actor, uow: UnitOfWork) -> None:
    uow.audit.record(
        act,
        actor=actor,
        on=("likeness_model", model.id),
        after={"creator_id": model.creator_id, "version": model.version},
    )
