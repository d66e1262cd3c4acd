"""Versions of a likeness model: which one is used, what deleting one does, and what stays of it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError

from adapters.memory.engines import MemoryEngine
from application.licensing.consents import withdraw_consent
from application.media.orphans import sweep_orphans
from application.ports.engines import EngineJob, EngineOutput
from application.studio.bereaved import end_jobs_of_model
from application.studio.completion import ProviderReport, apply_report
from application.studio.models import ModelDetails, ModelStatus, list_models, read_model
from application.studio.versions import (
    delete_model,
    delete_models,
    promote_model,
    retire_model,
)
from domain.creators.likeness_model import (
    DeletionReason,
    LikenessModel,
    ModelDeleted,
    ModelUnusable,
)
from domain.creators.training_set import TriggerWordRefused, manifest_hash
from domain.identity.actor import Actor
from domain.media.asset import AssetPurpose
from domain.shared.errors import NotFound
from domain.studio.generation import ModelNotReady
from domain.studio.job import JobStatus
from domain.studio.step import WORK_LIFE
from tests.application.studio.world import World


async def versions(studio: World, *, before: int | None = None) -> list[ModelDetails]:
    return await list_models(
        studio.market.creator.id,
        actor=studio.owner,
        before_version=before,
        limit=2,
        uow=studio.uow(),
        views=studio.views,
    )


async def read(studio: World, model_id: UUID) -> ModelDetails:
    return await read_model(
        studio.market.creator.id, model_id, actor=studio.owner, uow=studio.uow(), views=studio.views
    )


async def promote(studio: World, model_id: UUID, *, actor: Actor | None = None) -> LikenessModel:
    return await promote_model(
        studio.market.creator.id, model_id, actor=actor or studio.owner, uow=studio.uow()
    )


async def retire(studio: World, model_id: UUID) -> LikenessModel:
    return await retire_model(
        studio.market.creator.id, model_id, actor=studio.owner, uow=studio.uow()
    )


async def delete(studio: World, model_id: UUID, *, with_images: bool = False) -> None:
    await delete_model(
        studio.market.creator.id,
        model_id,
        with_images=with_images,
        actor=studio.owner,
        uow=studio.uow(),
        clock=studio.clock,
    )


async def model_of(studio: World, generation_id: UUID) -> tuple[UUID | None, int | None]:
    seen = await studio.seen(generation_id)
    return seen.model_id, seen.model_version


def weights(studio: World) -> list[str]:
    return sorted(key for key in studio.storage.stored_keys() if key.startswith("models/"))


async def held(studio: World, actor: Actor) -> int:
    async with studio.uow() as uow:
        return (await uow.credits.wallet(actor.user_id)).held


async def stopped(engine: MemoryEngine) -> bool:
    """Whether its provider was asked to stop what was last submitted."""
    return (await engine.fetch(engine.submissions[-1].request_id)).error_code == "cancelled"


# Versions.


async def test_each_training_is_a_version_that_says_what_it_was_made_from(studio: World) -> None:
    await studio.with_model(trigger_word="adl5ce", steps=500)
    second, first = await versions(studio)
    assert (first.version, first.in_force, first.trigger_word) == (1, False, "adl4ce")
    assert (second.version, second.in_force, second.trigger_word) == (2, True, "adl5ce")
    assert (second.provider, second.base_model) == ("trainer", "flux.1-dev")
    assert second.licence.hash == studio.market.terms.hash
    async with studio.uow() as uow:
        kept = await uow.models.get(second.id)
        images = {asset.id: asset.sha256 for asset in await uow.assets.many(kept.asset_ids)}
    assert {image.asset_id: image.sha256 for image in second.training_set} == images
    assert second.manifest_hash == manifest_hash(kept.training_set) != first.manifest_hash
    assert second.weights_bytes == len(b"weights")


async def test_versions_are_listed_in_pages_the_newest_first(studio: World) -> None:
    await studio.with_model()
    await studio.with_model()
    page = await versions(studio)
    assert [model.version for model in page] == [3, 2]
    assert [model.version for model in await versions(studio, before=2)] == [1]


async def test_trainings_that_are_asked_for_at_once_have_different_numbers(world: World) -> None:
    images = [await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner)]
    accepted = await asyncio.gather(*(world.train(images) for _ in range(4)))
    assert sorted(one.version for one in accepted) == [1, 2, 3, 4]


async def test_an_ordinary_word_calls_nobody(world: World) -> None:
    with pytest.raises(TriggerWordRefused):
        await world.train(trigger_word="Woman")


async def test_a_training_that_failed_is_a_version_without_weights(world: World) -> None:
    accepted = await world.train()
    await world.work()
    await world.poll_later(timedelta(hours=13))
    await world.work()
    failed = await read(world, accepted.id)
    assert (failed.status, failed.in_force, failed.weights_sha256) == (
        ModelStatus.FAILED,
        False,
        None,
    )
    with pytest.raises(ModelUnusable):
        await promote(world, accepted.id)
    assert weights(world) == []


# Which one is used.


async def test_the_version_in_force_is_used_and_taken_back_at_any_time(studio: World) -> None:
    await studio.with_model()
    second, first = await versions(studio)
    assert await model_of(studio, (await studio.ask()).id) == (second.id, 2)
    await promote(studio, first.id)
    await promote(studio, first.id)
    assert await model_of(studio, (await studio.ask()).id) == (first.id, 1)
    assert [model.in_force for model in await versions(studio)] == [False, True]


async def test_a_version_may_be_trained_without_taking_force(studio: World) -> None:
    await studio.with_model(put_in_force=False)
    second, first = await versions(studio)
    assert (second.status, second.in_force, first.in_force) == (ModelStatus.READY, False, True)


async def test_what_is_retired_is_kept_and_not_used(studio: World) -> None:
    (model,) = await versions(studio)
    await retire(studio, model.id)
    await retire(studio, model.id)
    with pytest.raises(ModelNotReady):
        await studio.ask()
    assert len(weights(studio)) == 1
    assert (await read(studio, model.id)).status is ModelStatus.RETIRED
    await promote(studio, model.id)
    await studio.ask()


async def test_promotions_at_once_leave_one_in_force(studio: World) -> None:
    await studio.with_model()
    await studio.with_model()
    (newest, middle), (oldest,) = await versions(studio), await versions(studio, before=2)
    for _ in range(3):
        await asyncio.gather(*(promote(studio, one.id) for one in (newest, middle, oldest)))
        every = [*await versions(studio), *await versions(studio, before=2)]
        assert sum(model.in_force for model in every) == 1


async def test_only_the_creator_chooses_and_deletes(studio: World) -> None:
    (model,) = await versions(studio)
    with pytest.raises(NotFound):
        await promote(studio, model.id, actor=studio.fan)
    with pytest.raises(NotFound):
        await promote(studio, studio.market.creator.id)


# Deleting.


async def test_a_deleted_version_leaves_its_hashes_and_nothing_else(studio: World) -> None:
    (before,) = await versions(studio)
    await delete(studio, before.id)
    await delete(studio, before.id)
    await studio.work()
    assert weights(studio) == []
    after = await read(studio, before.id)
    assert (after.status, after.in_force) == (ModelStatus.DELETED, False)
    assert (after.trigger_word, list(after.training_set)) == (None, [])
    assert after.deletion is not None
    assert (after.deletion.reason, after.deletion.at) == (
        DeletionReason.BY_CREATOR,
        studio.clock.now(),
    )
    assert (after.manifest_hash, after.weights_sha256, after.licence) == (
        before.manifest_hash,
        before.weights_sha256,
        before.licence,
    )
    for act in (promote, retire):
        with pytest.raises(ModelDeleted):
            await act(studio, before.id)
    with pytest.raises(ModelNotReady):
        await studio.ask()


async def test_what_is_under_way_with_it_fails_with_a_reason_and_costs_nothing(
    studio: World,
) -> None:
    accepted = await studio.ask()
    await studio.work()
    assert await held(studio, studio.fan) > 0
    (model,) = await versions(studio)
    await delete(studio, model.id)
    await studio.work()
    seen = await studio.seen(accepted.id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "model_deleted")
    assert (seen.held, seen.spent, await held(studio, studio.fan)) == (0, 0, 0)
    assert await stopped(studio.generator)
    with pytest.raises(ModelDeleted):
        await studio.retry(accepted.id)
    await end_jobs_of_model(model.id, workshop=studio.workshop)


async def test_a_generation_that_waits_for_its_turn_is_not_sent(studio: World) -> None:
    accepted = await studio.ask()
    (model,) = await versions(studio)
    await delete(studio, model.id)
    await studio.work()
    assert (await studio.seen(accepted.id)).error_code == "model_deleted"
    assert studio.generator.submissions == []


async def test_what_was_made_with_it_still_says_by_which_version(studio: World) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    (model,) = await versions(studio)
    await delete(studio, model.id)
    await studio.work()
    assert await model_of(studio, accepted.id) == (model.id, 1)
    assert (await studio.seen(accepted.id)).status is JobStatus.SUCCEEDED


async def test_a_version_deleted_in_training_is_not_brought_back_by_its_provider(
    world: World,
) -> None:
    accepted = await world.train()
    await world.work()
    await delete(world, accepted.id)
    await world.work()
    assert (await read(world, accepted.id)).status is ModelStatus.DELETED
    assert await stopped(world.trainer)
    assert [key for key in world.storage.stored_keys() if key.startswith("training/")] == []
    late = EngineJob(
        request_id=world.trainer.submissions[-1].request_id,
        status="succeeded",
        progress=100,
        outputs=(EngineOutput(url="https://results.example/late.safetensors"),),
    )
    world.files.put("https://results.example/late.safetensors", b"weights")
    (attempt,) = await world.attempts(accepted.id)
    report = ProviderReport(provider="trainer", attempt_id=attempt.id, job=late)
    await apply_report(report, workshop=world.workshop)
    await world.work()
    assert (await read(world, accepted.id)).status is ModelStatus.DELETED
    assert weights(world) == []
    assert [one.outputs for one in await world.attempts(accepted.id)] == [()]


async def test_weights_that_were_on_their_way_to_a_tombstone_are_erased(world: World) -> None:
    """The training is done, and deleted before what it made is stored."""
    accepted = await world.train()
    await world.work()
    submission = world.trainer.submissions[-1]
    world.trainer.complete(submission.request_id)
    world.files.put(f"https://results.example/{submission.request_id}.safetensors", b"weights")
    await world.poll_later()
    while not weights(world):
        await world.work_once()
    await delete(world, accepted.id)
    await world.work()
    assert weights(world) == []
    assert (await read(world, accepted.id)).status is ModelStatus.DELETED


async def test_its_images_go_with_it_where_no_other_version_needs_them(world: World) -> None:
    shared, own = [
        await world.upload(AssetPurpose.TRAINING_IMAGE, actor=world.owner) for _ in range(2)
    ]
    await world.with_model(asset_ids=[shared])
    await world.with_model(asset_ids=[shared, own])
    second, first = await versions(world)
    await delete(world, second.id, with_images=True)
    await world.work()
    async with world.uow() as uow:
        assert [asset.id for asset in await uow.assets.many([shared, own])] == [shared]
    await delete_models(
        world.market.creator.id,
        with_images=True,
        actor=world.owner,
        uow=world.uow(),
        clock=world.clock,
    )
    await world.work()
    assert (await read(world, first.id)).status is ModelStatus.DELETED
    assert world.storage.stored_keys() == set()


async def test_the_last_consent_to_train_takes_the_models_with_it(studio: World) -> None:
    (model,) = await versions(studio)
    await withdraw_consent(
        studio.market.creator.id,
        studio.market.consent.id,
        actor=studio.owner,
        uow=studio.uow(),
        clock=studio.clock,
    )
    await studio.work()
    gone = await read(studio, model.id)
    assert gone.deletion is not None
    assert gone.deletion.reason is DeletionReason.CONSENT_WITHDRAWN
    assert weights(studio) == []


async def test_deletions_are_in_the_audit_log(studio: World) -> None:
    (model,) = await versions(studio)
    await delete(studio, model.id)
    async with studio.sessions() as session:
        (entry,) = (
            await session.execute(
                sql("SELECT * FROM audit_entries WHERE act = 'likeness_model.deleted'")
            )
        ).all()
    assert str(entry.object_id) == str(model.id)
    assert entry.after["weights_sha256"] == model.weights_sha256


# What the database holds.


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE likeness_models SET status = 'ready', weights_key = 'models/x'",
        "UPDATE likeness_models SET manifest_hash = 'another'",
        "DELETE FROM likeness_models",
    ],
)
async def test_a_tombstone_stands(studio: World, change: str) -> None:
    (model,) = await versions(studio)
    await delete(studio, model.id)
    async with studio.sessions() as session:
        with pytest.raises(DBAPIError, match="what was deleted stays deleted"):
            await session.execute(sql(change))


@pytest.mark.parametrize("status", ["retired", "deleted"])
async def test_no_generation_begins_with_what_is_not_ready(studio: World, status: str) -> None:
    (model,) = await versions(studio)
    made = (await studio.ask()).id
    await (retire if status == "retired" else delete)(studio, model.id)
    async with studio.sessions() as session:
        with pytest.raises(DBAPIError, match="the model is not ready"):
            await session.execute(
                sql("UPDATE generations SET model_id = model_id WHERE id = :id"), {"id": made}
            )


async def test_a_request_and_a_deletion_end_in_one_of_the_two_orders(studio: World) -> None:
    """Refused, because the deletion came first; or accepted, and then ended by the deletion."""
    outcomes = set()
    for number in range(12):
        if number:
            await studio.with_model()
        model = (await versions(studio))[0]

        async def ask() -> UUID | None:
            with suppress(ModelNotReady):
                return (await studio.ask()).id
            return None

        asked, _ = await asyncio.gather(ask(), delete(studio, model.id))
        await studio.work()
        outcomes.add(asked is not None)
        if asked is not None:
            seen = await studio.seen(asked)
            assert (seen.status, seen.error_code) == (JobStatus.FAILED, "model_deleted")
        assert await held(studio, studio.fan) == 0
        assert weights(studio) == []
    assert outcomes, "at least one order was seen"


async def test_a_deletion_waits_for_a_request_that_has_begun_with_the_model(studio: World) -> None:
    """Both orders for certain: whoever holds the model first comes first."""
    (model,) = await versions(studio)
    async with studio.uow() as begun:
        assert await begun.models.in_force(studio.market.creator.id) is not None
        deletion = asyncio.create_task(delete(studio, model.id))
        await asyncio.sleep(0.3)
        assert not deletion.done()
    await deletion
    async with studio.uow() as late:
        assert await late.models.in_force(studio.market.creator.id) is None


# What nothing refers to.


async def test_what_nobody_names_below_models_and_work_is_erased_after_a_day(
    studio: World,
) -> None:
    accepted = await studio.ask()
    await studio.work()
    await studio.finish_at_provider()
    await studio.poll_later()
    await studio.work()
    cancelled = await studio.ask(prompt="cancelled, and done all the same")
    await studio.work()
    await studio.cancel(cancelled.id)
    await studio.finish_at_provider()
    await studio.poll_later(timedelta(minutes=2))
    await studio.work()
    (model,) = await versions(studio)
    stray = f"models/{model.id}/{accepted.id}.safetensors"
    for key in (stray, f"models/{accepted.id}/a.bin", f"work/{model.id}/b.png"):
        await studio.storage.put(key, b"lost", content_type="application/octet-stream")

    async def sweep() -> int:
        return await sweep_orphans(
            storage=studio.storage,
            kept={
                "models/": studio.views.weights_kept,
                "work/": partial(
                    studio.views.work_kept, ended_after=studio.clock.now() - WORK_LIFE
                ),
            },
            clock=studio.clock,
        )

    def work() -> list[str]:
        return [key for key in studio.storage.stored_keys() if key.startswith("work/")]

    assert await sweep() == 0, "it may be on its way to its row"
    studio.clock.advance(timedelta(days=1, minutes=1))
    assert await sweep() == 4, "three strays, and what a finished job worked with"
    assert len(weights(studio)) == 1
    (kept,) = work()
    assert kept.startswith(f"work/{cancelled.id}/"), "it would go on from there"
    studio.clock.advance(WORK_LIFE)
    assert await sweep() == 1
    assert (work(), len(weights(studio))) == ([], 1)
    await studio.retry(cancelled.id)
    await studio.work()
    assert (await studio.seen(cancelled.id)).status is JobStatus.QUEUED, "made anew"
