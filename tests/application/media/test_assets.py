"""Uploading, seeing and deleting images, over the fakes."""

from collections.abc import Collection
from datetime import timedelta
from typing import cast
from uuid import UUID

import msgspec
import pytest

from adapters.memory.faces import MemoryFaces
from adapters.memory.images import MemoryImages, blank_png
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.media.assets import delete_asset, erase_bytes, read_asset, upload_image
from application.media.delivery import AssetDetails
from application.media.orphans import sweep_orphans
from application.ports.images import ImageTypeRefused
from application.ports.media import ERASE_BYTES, CleanGrant
from application.ports.messages import Message
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.media.asset import AssetInUse, AssetPurpose, UploadTooLarge
from domain.shared.errors import NotFound
from tests.moderating import moderation_for

OWNER = Actor(user_id=UUID(int=101), roles=frozenset())
STRANGER = Actor(user_id=UUID(int=102), roles=frozenset())


class World:
    """One database, one store, and a clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.database = MemoryDatabase()
        self.storage = MemoryStorage(clock=self.clock)
        self.moderation = moderation_for(self.clock, self.ids)

    def uow(self) -> UnitOfWork:
        return cast("UnitOfWork", MemoryUnitOfWork(self.database))

    async def upload(
        self, content: bytes | None = None, purpose: AssetPurpose = AssetPurpose.AVATAR
    ) -> AssetDetails:
        return await upload_image(
            blank_png(1200, 600) if content is None else content,
            purpose,
            actor=OWNER,
            uow=self.uow(),
            storage=self.storage,
            images=MemoryImages(),
            moderation=self.moderation,
            faces=MemoryFaces(),
            clock=self.clock,
            ids=self.ids,
        )

    async def read(self, asset_id: UUID, actor: Actor) -> AssetDetails:
        return await read_asset(
            asset_id, actor=actor, uow=self.uow(), storage=self.storage, clock=self.clock
        )

    async def keys_of(self, asset_ids: Collection[UUID]) -> set[str]:
        rows = self.database.table("asset").rows
        return {key for one in asset_ids if one in rows for key in rows[one].keys}

    async def sweep(self) -> int:
        return await sweep_orphans(
            storage=self.storage, kept={"assets/": self.keys_of}, clock=self.clock
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_an_upload_is_kept_in_three_copies_of_which_none_is_the_original(
    world: World,
) -> None:
    made = await world.upload()
    assert (made.width, made.height, made.content_type) == (1200, 600, "image/png")
    assert world.storage.stored_keys() == {
        f"assets/{made.id}/clean.png",
        f"assets/{made.id}/preview.jpeg",
        f"assets/{made.id}/thumbnail.jpeg",
    }
    assert made.url == made.clean_url


async def test_what_is_refused_leaves_nothing(world: World) -> None:
    with pytest.raises(ImageTypeRefused):
        await world.upload(b"%PDF-1.7")
    with pytest.raises(UploadTooLarge):
        await world.upload(b"x" * (5 * 1024 * 1024 + 1))
    assert world.storage.stored_keys() == set()
    assert world.database.table("asset").rows == {}


async def test_strangers_do_not_learn_that_an_image_exists(world: World) -> None:
    made = await world.upload()
    with pytest.raises(NotFound):
        await world.read(made.id, STRANGER)
    with pytest.raises(NotFound):
        await delete_asset(made.id, actor=STRANGER, uow=world.uow())


async def test_a_buyer_sees_the_clean_copy(world: World) -> None:
    made = await world.upload()
    async with (uow := world.uow()):
        grant = CleanGrant(asset_id=made.id, user_id=STRANGER.user_id, order_id=UUID(int=7))
        assert await uow.assets.grant_clean([grant]) == 1
        assert await uow.assets.grant_clean([grant]) == 0
        await uow.commit()
    seen = await world.read(made.id, STRANGER)
    assert seen.clean_url is not None
    assert "clean.png" in seen.clean_url


async def test_a_bought_image_cannot_be_deleted(world: World) -> None:
    made = await world.upload()
    async with (uow := world.uow()):
        await uow.assets.grant_clean(
            [CleanGrant(asset_id=made.id, user_id=STRANGER.user_id, order_id=UUID(int=7))]
        )
        await uow.commit()
    with pytest.raises(AssetInUse):
        await delete_asset(made.id, actor=OWNER, uow=world.uow())


async def test_bytes_are_erased_after_the_row_is_gone(world: World) -> None:
    made = await world.upload()
    await delete_asset(made.id, actor=OWNER, uow=world.uow())
    with pytest.raises(NotFound):
        await world.read(made.id, OWNER)
    assert len(world.storage.stored_keys()) == 3

    (added,) = world.database.messages
    assert added.topic == ERASE_BYTES
    message = Message(
        id=UUID(int=1),
        box="outbox",
        topic=added.topic,
        payload=msgspec.json.encode(added.body),
        attempts=1,
        created_at=world.clock.now(),
    )
    await erase_bytes([message, message], storage=world.storage)
    assert world.storage.stored_keys() == set()


async def test_bytes_without_a_row_are_swept_after_a_day(world: World) -> None:
    kept = await world.upload()
    kept_keys = set(world.storage.stored_keys())
    for left in (f"assets/{UUID(int=77)}/clean.png", f"assets/{kept.id}/clean-0123.png"):
        await world.storage.put(left, b"x", content_type="image/png")
    assert await world.sweep() == 0
    world.clock.advance(timedelta(days=1, seconds=1))
    assert await world.sweep() == 2
    assert set(world.storage.stored_keys()) == kept_keys
