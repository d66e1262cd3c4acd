"""What every store of likeness models promises."""

from datetime import timedelta
from uuid import uuid4

from domain.creators.likeness_model import LikenessModel
from domain.studio.job import Job
from domain.studio.pipelines import JobKind
from tests.builders import NOON, Market, market
from tests.contracts.units_of_work import NewUnitOfWork


async def model(
    new_uow: NewUnitOfWork, shop: Market, *, minutes: int, ready: bool = True
) -> LikenessModel:
    """Commit a model that was asked for so many minutes after noon."""
    owner_id = shop.creator_user.id
    job = Job.accepted(job_id=uuid4(), kind=JobKind.TRAINING, owner_id=owner_id, at=NOON)
    made = LikenessModel(
        id=job.id,
        creator_id=shop.creator.id,
        trigger_word="ohwx",
        asset_ids=(),
        steps=1000,
        weights_key="weights" if ready else None,
        terms_id=shop.terms.id,
        terms_version=1,
        terms_hash=shop.terms.hash,
        consent_id=shop.consent.id,
        created_at=NOON + timedelta(minutes=minutes),
    )
    async with new_uow() as uow:
        uow.jobs.add(job)
        uow.models.add(made)
        await uow.commit()
    return made


async def test_the_newest_that_is_ready_and_may_be_used_is_found(new_uow: NewUnitOfWork) -> None:
    shop, other = await market(new_uow()), await market(new_uow())
    old = await model(new_uow, shop, minutes=0)
    new = await model(new_uow, shop, minutes=1)
    raw = await model(new_uow, shop, minutes=2, ready=False)
    theirs = await model(new_uow, other, minutes=3)

    async with new_uow() as uow:

        async def newest(*among: LikenessModel) -> object:
            named = {str(one.id) for one in among} | {"no model at all"}
            found = await uow.models.newest_ready(shop.creator.id, among=named)
            return found and found.id

        every = await uow.models.newest_ready(shop.creator.id)
        assert every is not None
        assert every.id == new.id
        assert await newest(old, new, raw) == new.id
        assert await newest(old, raw, theirs) == old.id
        assert await newest(raw, theirs) is None
        assert await newest() is None
