"""Say what is wrong with a training set, image by image, before anything is asked for or paid."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.ports.unit_of_work import UnitOfWork
from domain.creators.training_set import MAX_IMAGES, ImageProblem, TrainingPolicy, problems_of
from domain.identity.actor import Actor


class CheckTrainingSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    asset_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=2 * MAX_IMAGES)]


class SetProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A training is refused for what `refuses`; the rest is a warning."""

    code: str
    message: str
    limit: int | None
    refuses: bool


class CheckedImage(msgspec.Struct, frozen=True, kw_only=True):
    """Width, height and faces are null for an image that is not the caller's to train from; faces
    also for one that was uploaded before faces were counted."""

    asset_id: UUID
    width: int | None
    height: int | None
    faces: int | None
    problems: Sequence[SetProblem]


class TrainingSetReport(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` are those of the set as a whole; those of an image are with it."""

    acceptable: bool
    problems: Sequence[SetProblem]
    images: Sequence[CheckedImage]


async def check_training_set(
    creator_id: UUID,
    command: CheckTrainingSet,
    *,
    actor: Actor,
    uow: UnitOfWork,
    policy: TrainingPolicy,
) -> TrainingSetReport:
    """A dry run of what a training would ask of its images. Raises NotFound."""
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        found = await uow.assets.many(command.asset_ids)
    problems = problems_of(command.asset_ids, found, owner_id=creator.user_id, policy=policy)
    unknown = {one.asset_id for one in problems if one.code == "image_unknown"}
    known = {asset.id: asset for asset in found if asset.id not in unknown}
    images = []
    for asset_id in dict.fromkeys(command.asset_ids):
        asset = known.get(asset_id)
        images.append(
            CheckedImage(
                asset_id=asset_id,
                width=asset.width if asset else None,
                height=asset.height if asset else None,
                faces=asset.looks.faces if asset and asset.looks else None,
                problems=[_told(one) for one in problems if one.asset_id == asset_id],
            )
        )
    return TrainingSetReport(
        acceptable=not any(problem.refuses for problem in problems),
        problems=[_told(one) for one in problems if one.asset_id is None],
        images=images,
    )


def _told(problem: ImageProblem) -> SetProblem:
    return SetProblem(
        code=problem.code, message=problem.message, limit=problem.limit, refuses=problem.refuses
    )
