"""What every store of likeness models promises."""

from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.creators.likeness_model import (
    DeletionReason,
    LikenessModel,
    ModelStatus,
    Tombstone,
)
from domain.creators.training_set import TrainingImage
from domain.licensing.terms import Purpose
from domain.shared.errors import NotFound
from domain.studio.generation import Generation, Mode
from domain.studio.job import Job
from domain.studio.pipelines import JobKind
from tests.builders import NOON, Market, likeness_model, market
from tests.contracts.units_of_work import NewUnitOfWork


def under(shop: Market) -> dict[str, object]:
    return {"terms_id": shop.terms.id, "terms_version": 1, "terms_hash": shop.terms.hash}


async def model(
    new_uow: NewUnitOfWork, shop: Market, *, version: int, **changes: object
) -> LikenessModel:
    """Commit a version; ready and not in force, unless told otherwise."""
    owner_id = shop.creator_user.id
    job = Job.accepted(job_id=uuid4(), kind=JobKind.TRAINING, owner_id=owner_id, at=NOON)
    values = {"in_force": False, "consent_id": shop.consent.id, **under(shop), **changes}
    made = likeness_model(job.id, shop.creator.id, version=version, **values)
    async with new_uow() as uow:
        uow.jobs.add(job)
        uow.models.add(made)
        await uow.commit()
    return made


async def raw(new_uow: NewUnitOfWork, shop: Market, *, version: int) -> LikenessModel:
    """A version in training."""
    none = dict.fromkeys(("weights_key", "weights_sha256", "provider", "trainer", "ready_at"))
    return await model(new_uow, shop, version=version, status=ModelStatus.TRAINING, **none)


async def test_the_newest_that_is_ready_and_may_be_used_is_found(new_uow: NewUnitOfWork) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    old = await model(new_uow, shop, version=1)
    new = await model(new_uow, shop, version=2)
    unfit = await raw(new_uow, shop, version=3)
    theirs = await model(new_uow, other, version=1)

    async with new_uow() as uow:

        async def newest(*among: LikenessModel) -> object:
            named = {str(one.id) for one in among} | {"no model at all"}
            found = await uow.models.newest_ready(shop.creator.id, among=named)
            return found and found.id

        assert await newest(old, new, unfit) == new.id
        assert await newest(old, unfit, theirs) == old.id
        assert await newest(unfit, theirs) is None
        assert await newest() is None


async def test_versions_are_counted_for_each_creator(new_uow: NewUnitOfWork) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    async with new_uow() as uow:
        assert await uow.models.next_version(shop.creator.id) == 1
    await model(new_uow, shop, version=1)
    await model(new_uow, shop, version=2)
    async with new_uow() as uow:
        assert await uow.models.next_version(shop.creator.id) == 3
        assert await uow.models.next_version(other.creator.id) == 1
    with pytest.raises(AlreadyExists):
        await model(new_uow, shop, version=2)


async def test_one_version_at_most_is_in_force(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first = await model(new_uow, shop, version=1, in_force=True)
    second = await model(new_uow, shop, version=2)
    unfit = await raw(new_uow, shop, version=3)
    with pytest.raises(AlreadyExists):
        await model(new_uow, shop, version=4, in_force=True)

    async def promote(model_id: UUID) -> bool:
        async with new_uow() as uow:
            every = await uow.models.of_creator(shop.creator.id, lock=True)
            given = await uow.models.put_in_force(next(m for m in every if m.id == model_id))
            if given:
                await uow.commit()
            return given

    async def in_force() -> UUID | None:
        async with new_uow() as uow:
            found = await uow.models.in_force(shop.creator.id)
            return found.id if found else None

    assert await in_force() == first.id
    assert await promote(second.id)
    assert await in_force() == second.id
    assert await promote(first.id)
    assert await in_force() == first.id
    assert not await promote(unfit.id)
    assert await in_force() == first.id


async def test_what_is_loaded_is_what_was_kept(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    image = TrainingImage(uuid4(), "a" * 64)
    kept = await model(new_uow, shop, version=1, training_set=(image,), manifest_hash="b" * 64)
    async with new_uow() as uow:
        found = await uow.models.usable(kept.id)
        assert (found.training_set, found.manifest_hash) == ((image,), "b" * 64)
        assert found.asset_ids == (image.asset_id,)
        with pytest.raises(NotFound):
            await uow.models.usable(uuid4())
        found.bury(
            Tombstone(deleted_at=NOON, deleted_by=shop.owner.id, reason=DeletionReason.BY_CREATOR)
        )
        await uow.commit()
    async with new_uow() as uow:
        (gone,) = await uow.models.of_creator(shop.creator.id)
        assert (gone.status, gone.training_set, gone.trigger_word) == (
            ModelStatus.DELETED,
            (),
            "",
        )
        assert (gone.weights_key, gone.weights_sha256) == (None, kept.weights_sha256)


async def test_jobs_under_way_with_a_model_are_its_training_and_generations(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow())
    one, other = await model(new_uow, shop, version=1), await model(new_uow, shop, version=2)
    made = {}
    for name, model_id in (("open", one.id), ("ended", one.id), ("another's", other.id)):
        job = Job.accepted(job_id=uuid4(), kind=JobKind.IMAGE, owner_id=shop.owner.id, at=NOON)
        if name == "ended":
            job.cancel(at=NOON)
        made[name] = job.id
        async with new_uow() as uow:
            uow.jobs.add(job)
            uow.generations.add(
                Generation(
                    id=job.id,
                    owner_id=shop.owner.id,
                    creator_id=shop.creator.id,
                    model_id=model_id,
                    mode=Mode.TEXT,
                    prompt="",
                    purpose=Purpose.PERSONAL,
                    scene_asset_id=None,
                    seed=1,
                    width=1,
                    height=1,
                    created_at=NOON,
                    **under(shop),  # type: ignore[arg-type]
                )
            )
            await uow.commit()
    async with new_uow() as uow:
        assert await uow.models.open_jobs(one.id) == sorted([one.id, made["open"]])
        (await uow.jobs.get(one.id, lock=True)).cancel(at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.models.open_jobs(one.id) == [made["open"]]
