"""What every store of uploads promises; who wins at the same moment is PostgreSQL's to show."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.uploads import PostgresUploadViews
from application.ports.uploads import StorageUsage
from domain.media.asset import AssetState
from domain.media.upload import UPLOAD_LIFE, Upload, UploadState
from domain.shared.errors import NotFound
from tests.builders import NOON, generated_asset, upload_of, user
from tests.contracts.units_of_work import NewUnitOfWork, fields_of


def upload(
    owner_id: UUID, *, minute: int = 0, state: UploadState = UploadState.UPLOADING
) -> Upload:
    began = NOON + timedelta(minutes=minute)
    made = upload_of(owner_id, at=began, state=state)
    if not made.is_open:
        made.ended_at = began
    return made


async def usage(new_uow: NewUnitOfWork, owner_id: UUID) -> StorageUsage:
    async with new_uow() as uow:
        return await uow.uploads.usage(owner_id)


async def reserve(new_uow: NewUnitOfWork, owner_id: UUID, size_bytes: int, limit: int) -> bool:
    async with new_uow() as uow:
        got = await uow.uploads.reserve(owner_id, size_bytes, limit_bytes=limit)
        await uow.commit()
        return got


async def test_an_upload_comes_back_as_it_was(new_uow: NewUnitOfWork) -> None:
    kept = upload(user().id)
    kept.multipart_id = "m"
    async with new_uow() as uow:
        uow.uploads.add(kept)
        await uow.commit()
    async with new_uow() as uow:
        assert fields_of(await uow.uploads.get(kept.id, lock=True)) == fields_of(kept)
        with pytest.raises(NotFound):
            await uow.uploads.get(uuid4())


async def test_bytes_are_reserved_up_to_the_limit_and_given_back(new_uow: NewUnitOfWork) -> None:
    owner = uuid4()
    assert await usage(new_uow, owner) == StorageUsage(used_bytes=0, reserved_bytes=0)
    assert await reserve(new_uow, owner, 60, 100)
    assert not await reserve(new_uow, owner, 41, 100)
    assert await reserve(new_uow, owner, 40, 100)
    assert await reserve(new_uow, uuid4(), 100, 100)
    async with new_uow() as uow:
        await uow.uploads.release(owner, 60)
        await uow.commit()
    assert await usage(new_uow, owner) == StorageUsage(used_bytes=0, reserved_bytes=40)


async def test_a_reservation_that_is_not_committed_holds_nothing(new_uow: NewUnitOfWork) -> None:
    owner = uuid4()
    async with new_uow() as uow:
        assert await uow.uploads.reserve(owner, 60, limit_bytes=100)
        assert not await uow.uploads.reserve(owner, 60, limit_bytes=100)
    assert await usage(new_uow, owner) == StorageUsage(used_bytes=0, reserved_bytes=0)


async def test_what_is_kept_and_can_be_seen_is_used(new_uow: NewUnitOfWork) -> None:
    owner = user().id
    seen, hidden = generated_asset(owner), generated_asset(owner)
    hidden.state = AssetState.HIDDEN
    async with new_uow() as uow:
        for asset in (seen, hidden):
            uow.assets.add(asset)
        await uow.commit()
    assert (await usage(new_uow, owner)).used_bytes == seen.size_bytes
    assert not await reserve(new_uow, owner, 1, seen.size_bytes)
    async with new_uow() as uow:
        (await uow.assets.get(seen.id)).state = AssetState.HIDDEN
        await uow.commit()
    assert (await usage(new_uow, owner)).used_bytes == 0
    async with new_uow() as uow:
        (await uow.assets.get(hidden.id)).state = AssetState.READY
        await uow.commit()
    assert (await usage(new_uow, owner)).used_bytes == hidden.size_bytes
    async with new_uow() as uow:
        await uow.assets.remove(await uow.assets.get(hidden.id))
        await uow.commit()
    assert (await usage(new_uow, owner)).used_bytes == 0


async def test_what_has_had_its_day_is_due_the_oldest_first(new_uow: NewUnitOfWork) -> None:
    owner = uuid4()
    old, older, fresh = upload(owner, minute=1), upload(owner), upload(owner, minute=30)
    handed_over = upload(owner, state=UploadState.VERIFYING)
    async with new_uow() as uow:
        for one in (old, older, fresh, handed_over):
            uow.uploads.add(one)
        await uow.commit()
    at = NOON + UPLOAD_LIFE + timedelta(minutes=1)
    async with new_uow() as uow:
        assert await uow.uploads.due(at=at, limit=9) == [older.id, old.id]
        assert await uow.uploads.due(at=at, limit=1) == [older.id]


# PostgreSQL alone.


async def test_of_two_hundred_reservations_at_once_no_more_are_made_than_fit(
    postgres_uow: NewUnitOfWork,
) -> None:
    owner = uuid4()
    got = await asyncio.gather(*(reserve(postgres_uow, owner, 10, 105) for _ in range(200)))
    assert sum(got) == 10
    assert (await usage(postgres_uow, owner)).reserved_bytes == 100


async def test_no_more_can_be_given_back_than_was_reserved(postgres_uow: NewUnitOfWork) -> None:
    owner = uuid4()
    await reserve(postgres_uow, owner, 10, 100)
    async with postgres_uow() as uow:
        with pytest.raises(IntegrityError, match="ck_storage_usage_not_negative"):
            await uow.uploads.release(owner, 11)


async def test_many_assets_in_one_statement_are_counted_for_each_owner(
    postgres_uow: NewUnitOfWork,
) -> None:
    owners = [uuid4() for _ in range(3)]
    async with postgres_uow() as uow:
        for number, owner in enumerate(owners):
            for _ in range(number + 1):
                uow.assets.add(generated_asset(owner))
        await uow.commit()
    assert [(await usage(postgres_uow, owner)).used_bytes for owner in owners] == [1000, 2000, 3000]


async def test_pages_join_and_only_open_uploads_need_their_bytes(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    owner = uuid4()
    mine = [upload(owner, minute=minute) for minute in range(3)]
    ended = upload(owner, minute=3, state=UploadState.ABORTED)
    async with postgres_uow() as uow:
        for one in (*mine, ended, upload(uuid4())):
            uow.uploads.add(one)
        await uow.commit()
    views = PostgresUploadViews(sessions)
    first = await views.page(owner, state=None, before=None, limit=2)
    rest = await views.page(owner, state=None, before=(first[-1].created_at, first[-1].id), limit=9)
    assert [one.id for one in (*first, *rest)] == [ended.id, *(one.id for one in mine[::-1])]
    aborted = await views.page(owner, state=UploadState.ABORTED, before=None, limit=9)
    assert [one.id for one in aborted] == [ended.id]
    assert await views.keys_of([mine[0].id, ended.id, uuid4()]) == {mine[0].key}
    assert await views.keys_of([]) == set()
