"""What remembering signed files promises, whoever remembers."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from application.ports.repository import AlreadyExists
from domain.media.provenance import MediaCopy, SignedCopy
from tests.builders import NOON, signed_copy_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of


async def kept(new_uow: NewUnitOfWork, **changes: object) -> SignedCopy:
    signed = signed_copy_of(**changes)
    async with (uow := new_uow()):
        uow.signed_copies.add(signed)
        await uow.commit()
    return signed


async def test_a_copy_is_found_by_its_manifest(new_uow: NewUnitOfWork) -> None:
    signed = await kept(new_uow)
    await kept(new_uow)
    async with (uow := new_uow()):
        [found] = await uow.signed_copies.of_manifests([signed.manifest, "urn:c2pa:unknown"])
        assert fields_of(found) == fields_of(signed)
        assert await uow.signed_copies.of_manifests(["urn:c2pa:unknown"]) == []


async def test_those_of_an_asset_come_in_the_order_of_signing(new_uow: NewUnitOfWork) -> None:
    asset_id = uuid4()
    later = await kept(new_uow, asset_id=asset_id, signed_at=NOON + timedelta(seconds=1))
    first = await kept(new_uow, asset_id=asset_id, copy=MediaCopy.PREVIEW)
    await kept(new_uow)
    async with (uow := new_uow()):
        found = await uow.signed_copies.of_asset(asset_id)
        assert [one.id for one in found] == [first.id, later.id]
        assert await uow.signed_copies.of_asset(UUID(int=5)) == []


async def test_no_two_files_share_a_manifest(new_uow: NewUnitOfWork) -> None:
    signed = await kept(new_uow)
    with pytest.raises(AlreadyExists):
        await kept(new_uow, manifest=signed.manifest)


@pytest.mark.parametrize(
    "change",
    ["UPDATE signed_copies SET model = 'another'", "DELETE FROM signed_copies"],
)
async def test_the_database_keeps_them_as_they_are(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession], change: str
) -> None:
    await kept(postgres_uow)
    async with sessions() as session:
        with pytest.raises(DBAPIError, match="stays known"):
            await session.execute(text(change))
