"""What every store of assets promises of outputs that come back."""

from uuid import uuid4

from domain.media.asset import AssetPurpose
from tests.builders import generated_asset
from tests.contracts.units_of_work import NewUnitOfWork


async def test_outputs_are_found_by_what_was_delivered_and_uploads_are_not(
    new_uow: NewUnitOfWork,
) -> None:
    owner_id = uuid4()
    first, second, upload = (generated_asset(owner_id) for _ in range(3))
    first.sha256, second.sha256, upload.sha256 = "a" * 64, "b" * 64, "a" * 64
    upload.purpose, upload.generation_id = AssetPurpose.SCENE_IMAGE, None
    upload.uploaded_sha256 = "c" * 64
    async with new_uow() as uow:
        for asset in (first, second, upload):
            uow.assets.add(asset)
        await uow.commit()

    async with new_uow() as uow:
        assert [one.id for one in await uow.assets.outputs({"a" * 64})] == [first.id]
        every = await uow.assets.outputs({"a" * 64, "b" * 64, "c" * 64, "d" * 64})
        assert [one.id for one in every] == sorted([first.id, second.id])
        assert await uow.assets.outputs(set()) == []
        kept = await uow.assets.get(upload.id)
        assert (kept.as_delivered, kept.is_generated) == ("c" * 64, False)
