"""Training a likeness model: whose images, whose word, and where the weights end up."""

import io
import zipfile
from datetime import timedelta
from typing import cast

import pytest

from application.studio.models import ModelDetails, ModelStatus, list_models, read_model
from application.studio.training_sets import CheckTrainingSet, check_training_set
from domain.creators.training_set import ImageProblem, TrainingImagesRefused, TrainingPolicy
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentMissing
from domain.media.asset import AssetPurpose
from domain.shared.errors import NotFound
from domain.studio.job import JobStatus
from tests.application.studio.world import World


async def test_a_model_is_trained_from_an_archive_of_its_images(world: World) -> None:
    accepted = await world.train()
    assert accepted.status is ModelStatus.PENDING
    await world.work()
    (submission,) = world.trainer.submissions
    (archive,) = [key for key in world.storage.stored_keys() if key.startswith("training/")]
    assert archive in submission.request.archive_url
    with zipfile.ZipFile(io.BytesIO(await world.storage.get(archive))) as read:
        assert read.namelist() == ["01.png", "02.png"]


async def test_trained_weights_come_home_and_the_archive_goes(studio: World) -> None:
    keys = studio.storage.stored_keys()
    assert [key for key in keys if key.startswith("training/")] == []
    (weights,) = [key for key in keys if key.startswith("models/")]
    assert await studio.storage.get(weights) == b"weights"
    (model,) = await listed(studio, studio.owner)
    assert (model.status, model.progress, model.image_count) == (ModelStatus.READY, 100, 2)
    read = await read_model(
        studio.market.creator.id, model.id, actor=studio.owner, uow=studio.uow(), views=studio.views
    )
    assert read == model


async def listed(
    studio: World, actor: Actor, *, before_version: int | None = None, limit: int = 10
) -> list[ModelDetails]:
    return await list_models(
        studio.market.creator.id,
        actor=actor,
        before_version=before_version,
        limit=limit,
        uow=studio.uow(),
        views=studio.views,
    )


async def test_models_are_shown_to_their_creator_only(studio: World) -> None:
    with pytest.raises(NotFound):
        await listed(studio, studio.fan)


async def test_other_peoples_and_other_images_are_refused(world: World) -> None:
    theirs = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.fan)
    avatar = await world.upload(AssetPurpose.AVATAR, actor=world.owner)
    mine = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)
    with pytest.raises(TrainingImagesRefused) as refused:
        await world.train([mine, mine, theirs, avatar])
    reasons = cast("list[ImageProblem]", refused.value.facts["reasons"])
    assert [(reason.code, reason.asset_id) for reason in reasons] == [
        ("image_named_twice", None),
        ("image_unknown", theirs),
        ("image_unknown", avatar),
    ]


async def test_an_image_is_looked_at_as_it_comes(world: World) -> None:
    world.faces.usually = 2
    seen = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)
    other = await world.upload(AssetPurpose.AVATAR, actor=world.owner)
    async with world.uow() as uow:
        looks = (await uow.assets.get(seen)).looks
        assert looks is not None
        assert (looks.faces, len(looks.fingerprint)) == (2, 16)
        assert (await uow.assets.get(other)).looks is None


async def test_a_set_that_is_no_good_is_refused_before_it_is_paid(world: World) -> None:
    world.policy = TrainingPolicy(min_images=2, min_side_px=16)
    good = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)
    world.faces.usually = 3
    crowd = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)
    report = await check_training_set(
        world.market.creator.id,
        CheckTrainingSet(asset_ids=[good, crowd]),
        actor=world.owner,
        uow=world.uow(),
        policy=world.policy,
    )
    assert (report.acceptable, [image.faces for image in report.images]) == (False, [1, 3])
    wrong = [[problem.code for problem in image.problems] for image in report.images]
    assert wrong == [[], ["several_faces", "image_repeated"]]
    with pytest.raises(TrainingImagesRefused):
        await world.train([good, crowd])
    assert await world.work() == 0
    with pytest.raises(NotFound):
        await check_training_set(
            world.market.creator.id,
            CheckTrainingSet(asset_ids=[good]),
            actor=world.fan,
            uow=world.uow(),
            policy=world.policy,
        )


async def test_training_needs_standing_consent(world: World) -> None:
    async with (uow := world.uow()):
        (consent,) = await uow.consents.of_creators([world.market.creator.id])
        consent.withdraw(at=world.clock.now())
        await uow.commit()
    with pytest.raises(ConsentMissing):
        await world.train()


async def test_an_image_deleted_before_training_fails_it_with_a_reason(world: World) -> None:
    image = await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)
    accepted = await world.train([image])
    async with (uow := world.uow()):
        await uow.assets.remove(await uow.assets.get(image))
        await uow.commit()
    await world.work()
    model = await world.views.model(accepted.id, creator_id=world.market.creator.id)
    assert (model.job_status, model.error_code) == (JobStatus.FAILED, "input_missing")
    assert world.trainer.submissions == []


async def test_the_newest_model_is_used(studio: World) -> None:
    await studio.train()
    await studio.work()
    submission = studio.trainer.submissions[-1]
    studio.trainer.complete(submission.request_id)
    studio.files.put(f"https://results.example/{submission.request_id}.safetensors", b"newer")
    await studio.poll_later(timedelta(minutes=2))
    await studio.work()
    await studio.ask()
    await studio.work()
    newest = max(key for key in studio.storage.stored_keys() if key.startswith("models/"))
    assert newest in studio.generator.submissions[-1].request.weights.weights_url
