"""A file from its announcement to its asset, over each of the stores; and every way to be refused.

What S3's test server does not enforce (signed lengths, expiry) is not assumed of it: what matters
is enforced again when an upload is completed and checked.
"""

import hashlib
import io
import struct
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import cast
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from adapters.memory.faces import MemoryFaces
from adapters.memory.images import blank_png
from adapters.memory.live import MemoryLive
from adapters.memory.moderation import MemoryImageClassifier
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import CountingIds, ManualClock
from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from adapters.memory.video import MemoryVideos, frame_at
from adapters.pillow.processor import PillowImages
from application.media.assets import Copy, delete_asset, link_copy, read_asset, upload_image
from application.media.orphans import sweep_orphans
from application.media.uploads import (
    DISCARD_UPLOAD,
    VERIFY_UPLOAD,
    AskParts,
    BeginUpload,
    DiscardUpload,
    UploadDetails,
    VerifyUpload,
    abort_upload,
    begin_upload,
    complete_upload,
    discard_upload,
    expire_uploads,
    link_parts,
    read_upload,
)
from application.media.verification import Inspection, verify_upload
from application.ports.errors import Unavailable
from application.ports.images import Rendition
from application.ports.live import Told, UploadRefused, UploadVerified, uploads_channel
from application.ports.multipart import StoredPart
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.ports.uploads import StorageUsage
from application.ports.video import MediaRefused
from domain.identity.actor import Actor
from domain.media.asset import (
    Asset,
    AssetPurpose,
    AssetState,
    AssetUnderReview,
    Media,
    UploadTooLarge,
)
from domain.media.upload import (
    StorageFull,
    Upload,
    UploadClosed,
    UploadExpired,
    UploadIncomplete,
    UploadState,
    UploadTypeRefused,
)
from domain.moderation.case import CaseState, SubjectKind
from domain.moderation.judgement import Verdict
from domain.shared.errors import NotFound
from domain.studio.plans import OFFERED, PlanName
from tests import files
from tests.contracts.test_multipart_storage import Store, s3_server, store
from tests.moderating import moderation_for
from tests.pictures import picture

__all__ = ["s3_server", "store"]

OWNER = Actor(user_id=UUID(int=101), roles=frozenset())
STRANGER = Actor(user_id=UUID(int=102), roles=frozenset())
MIB = 1024 * 1024
ROOM = OFFERED[PlanName.FREE].storage_bytes
PNG, ZIP = "image/png", "application/zip"


class Unwatchable(MemoryVideos):
    async def frames(self, content: bytes, *, most: int) -> list[Rendition]:
        raise MediaRefused("It is broken.")


class World:
    def __init__(self, store: Store, images: PillowImages) -> None:
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.database = MemoryDatabase()
        self.store = store
        self.storage = store.storage
        self.images = images
        self.live = MemoryLive()
        self.classifier = MemoryImageClassifier()
        self.moderation = moderation_for(self.clock, self.ids, images=self.classifier)
        self.unwatchable = False
        self.frames_up_to = 200 * MIB

    def uow(self) -> UnitOfWork:
        return cast("UnitOfWork", MemoryUnitOfWork(self.database))

    async def begin(
        self,
        content: bytes,
        purpose: AssetPurpose = AssetPurpose.PRODUCT_FILE,
        content_type: str = ZIP,
        **claims: object,
    ) -> UploadDetails:
        claimed = {
            "filename": "presets.zip",
            "size_bytes": len(content),
            "content_type": content_type,
            "sha256": hashlib.sha256(content).hexdigest(),
            "purpose": purpose,
            **claims,
        }
        return await begin_upload(
            msgspec.convert(claimed, BeginUpload),
            actor=OWNER,
            uow=self.uow(),
            storage=self.storage,
            clock=self.clock,
            ids=self.ids,
        )

    async def send(self, begun: UploadDetails, content: bytes, *numbers: int) -> None:
        for number in numbers or range(1, begun.part_count + 1):
            (link,) = await link_parts(
                begun.id,
                AskParts(numbers=[number]),
                actor=OWNER,
                uow=self.uow(),
                storage=self.storage,
                clock=self.clock,
            )
            start = (number - 1) * begun.part_bytes
            await self.store.put(link.url, content[start : start + link.size_bytes])

    async def complete(self, upload_id: UUID) -> UploadDetails:
        return await complete_upload(
            upload_id, actor=OWNER, uow=self.uow(), storage=self.storage, clock=self.clock
        )

    async def verify(self, upload_id: UUID, storage: ObjectStorage | None = None) -> None:
        await verify_upload(
            upload_id,
            uow=self.uow(),
            storage=storage or self.storage,
            inspection=Inspection(
                images=self.images,
                faces=MemoryFaces(usually=1),
                videos=Unwatchable() if self.unwatchable else MemoryVideos(),
                moderation=self.moderation,
                frames_up_to=self.frames_up_to,
            ),
            clock=self.clock,
            live=self.live,
        )

    async def work(self) -> None:
        """Handle the outbox, twice each: everything may come twice."""
        while self.database.messages:
            message = self.database.messages.pop(0)
            for _ in range(2):
                match message.topic, message.body:
                    case (topic, VerifyUpload() as body) if topic == VERIFY_UPLOAD:
                        await self.verify(body.upload_id)
                    case (topic, DiscardUpload() as body) if topic == DISCARD_UPLOAD:
                        await discard_upload(body, storage=self.storage)
                    case topic, _:
                        raise AssertionError(topic)

    async def bring(
        self,
        content: bytes,
        purpose: AssetPurpose = AssetPurpose.PRODUCT_FILE,
        content_type: str = ZIP,
        **claims: object,
    ) -> Upload:
        """The whole way; answers what became of it."""
        begun = await self.begin(content, purpose, content_type, **claims)
        await self.send(begun, content)
        await self.complete(begun.id)
        await self.work()
        return await self.upload(begun.id)

    async def upload(self, upload_id: UUID) -> Upload:
        async with (uow := self.uow()):
            return await uow.uploads.get(upload_id)

    async def asset(self, asset_id: UUID) -> Asset:
        async with (uow := self.uow()):
            return await uow.assets.get(asset_id)

    async def usage(self) -> StorageUsage:
        async with (uow := self.uow()):
            return await uow.uploads.usage(OWNER.user_id)

    async def reserved(self) -> int:
        return (await self.usage()).reserved_bytes

    async def keys(self) -> set[str]:
        return {found.key async for found in self.storage.listing("")}

    async def refused(self, *args: object, **claims: object) -> str:
        """The code with which the file was refused, after which nothing of it is left."""
        upload = await self.bring(*args, **claims)  # type: ignore[arg-type]
        assert upload.state is UploadState.REFUSED, upload.state
        assert upload.error_message
        assert await self.keys() == set()
        assert await self.reserved() == 0
        with pytest.raises(NotFound):
            await self.asset(upload.id)
        return str(upload.error_code)


@pytest.fixture(scope="module")
def images() -> Iterator[PillowImages]:
    made = PillowImages(workers=1)
    yield made
    made.close()


@pytest.fixture
def world(store: Store, images: PillowImages) -> World:
    return World(store, images)


# What is let in.


@pytest.mark.parametrize(
    ("content", "content_type", "media", "extension"),
    [
        (files.archive(), ZIP, Media.ARCHIVE, "zip"),
        (files.pdf(), "application/pdf", Media.DOCUMENT, "pdf"),
        (files.mp4(), "video/mp4", Media.VIDEO, "mp4"),
        (files.mp3(), "audio/mpeg", Media.AUDIO, "mp3"),
        (files.wav(), "audio/wav", Media.AUDIO, "wav"),
    ],
)
async def test_a_file_that_is_what_it_says_is_kept_as_it_came(
    world: World, content: bytes, content_type: str, media: Media, extension: str
) -> None:
    upload = await world.bring(content, content_type=content_type)
    assert (upload.state, upload.error_code) == (UploadState.READY, None)
    asset = await world.asset(upload.id)
    assert (asset.media, asset.name, asset.content_type) == (media, "presets.zip", content_type)
    assert (asset.size_bytes, asset.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await world.keys() == {f"assets/{upload.id}/clean.{extension}"}
    assert await world.storage.get(asset.clean_key) == content
    assert (await world.storage.stat(asset.clean_key)).sha256 == asset.sha256
    assert await world.reserved() == 0
    await world.verify(upload.id)  # told once, however often it is handled
    (told,) = world.database.user_events
    assert told == Told(
        uploads_channel(OWNER.user_id),
        UploadVerified(upload_id=upload.id, asset_id=asset.id, seq=1),
    )


def photograph() -> bytes:
    """With a place, a camera and a comment in it, lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    out = io.BytesIO()
    Image.effect_noise((60, 40), 60).convert("RGB").save(out, "JPEG", exif=exif, comment=b"at home")
    return out.getvalue()


async def test_a_photograph_is_kept_upright_and_without_where_it_was_taken(world: World) -> None:
    content = photograph()
    assert b"Maker" in content
    upload = await world.bring(content, AssetPurpose.TRAINING_IMAGE, "image/jpeg")
    asset = await world.asset(upload.id)
    kept = await world.storage.get(asset.clean_key)
    for told in (b"Maker", b"at home", b"Exif", b"GPS"):
        assert told not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert not opened.getexif()
        assert opened.size == (asset.width, asset.height) == (40, 60)
    assert asset.uploaded_sha256 == hashlib.sha256(content).hexdigest() != asset.sha256
    assert await world.keys() == {
        f"assets/{upload.id}/{name}.jpeg" for name in ("clean", "preview", "thumbnail")
    }


# Parts.


async def test_an_interrupted_upload_is_resumed_with_the_parts_that_are_missing(
    world: World,
) -> None:
    content = large_archive(20 * MIB)
    begun = await world.begin(content)
    assert begun.part_count == 3
    await world.send(begun, content, 3)
    await world.send(begun, content, 1)
    seen = await read_upload(begun.id, actor=OWNER, uow=world.uow(), storage=world.storage)
    assert [part.number for part in seen.parts] == [1, 3]
    assert seen.received_bytes == begun.size_bytes - begun.part_bytes
    assert 50 < seen.progress < 100
    with pytest.raises(UploadIncomplete) as refused:
        await world.complete(begun.id)
    assert refused.value.facts == {"missing": [2], "wrong": []}
    await world.send(begun, content, 2)
    assert (await world.complete(begun.id)).state is UploadState.VERIFYING
    assert (await world.complete(begun.id)).state is UploadState.VERIFYING
    await world.work()
    ready = await world.complete(begun.id)
    assert (ready.state, ready.asset_id) == (UploadState.READY, begun.id)


def large_archive(size_bytes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        target.writestr("noise.raw", bytes(range(256)) * (size_bytes // 256))
    return out.getvalue()


async def test_parts_of_another_size_are_found_when_the_upload_is_completed(world: World) -> None:
    """However they came: the signed length is not what is relied upon."""
    content = large_archive(10 * MIB)
    begun = await world.begin(content)
    upload = await world.upload(begun.id)
    await world.store.send(str(upload.multipart_id), 1, content[: 6 * MIB], upload.key)
    await world.store.send(str(upload.multipart_id), 2, content[6 * MIB :], upload.key)
    with pytest.raises(UploadIncomplete) as refused:
        await world.complete(begun.id)
    assert refused.value.facts == {"missing": [], "wrong": [1, 2]}


async def test_a_part_that_was_exchanged_after_completing_is_noticed(world: World) -> None:
    content = files.archive()
    begun = await world.begin(content)
    await world.send(begun, content)
    await world.complete(begun.id)
    upload = await world.upload(begun.id)
    evil = b"x" * len(content)
    await world.store.send(str(upload.multipart_id), 1, evil, upload.key)
    await world.work()
    assert (await world.upload(begun.id)).error_code == "hash_mismatch"


async def test_there_are_no_links_for_parts_that_there_are_not(world: World) -> None:
    begun = await world.begin(files.archive())
    with pytest.raises(Exception, match="parts 1 to 1"):
        await world.send(begun, b"", 2)


# Refusals.


async def test_another_file_than_was_announced_is_refused(world: World) -> None:
    assert await world.refused(files.archive(), sha256="0" * 64) == "hash_mismatch"
    (told,) = world.database.user_events
    assert isinstance(told.event, UploadRefused)
    assert (told.event.error_code, told.event.seq) == ("hash_mismatch", 1)


async def test_a_wrong_type_behind_a_right_name_is_refused(world: World) -> None:
    program = b"MZ\x90\0 this program cannot be run"
    assert await world.refused(program) == "file_type_refused"
    avatar = AssetPurpose.AVATAR
    assert await world.refused(files.pdf(), avatar, PNG) == "file_type_refused"
    assert await world.refused(picture("JPEG"), avatar, PNG) == "type_mismatch"


async def test_an_archive_that_is_a_bomb_is_refused(world: World) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("zeros", b"\0" * 20_000_000)
    assert await world.refused(out.getvalue()) == "zip_bomb"


async def test_an_image_of_four_hundred_megapixels_is_refused(world: World) -> None:
    content = files.png_of(20_000, 20_000)
    assert len(content) < MIB
    assert await world.refused(content, AssetPurpose.AVATAR, PNG) == "image_too_large"


async def test_a_file_that_is_two_things_at_once_is_refused(world: World) -> None:
    image = picture("JPEG", (40, 30))
    hidden = files.archive()
    comment = b"\xff\xfe" + struct.pack(">H", len(hidden) + 2) + hidden
    both = image[:-2] + comment + b"\xff\xd9"
    assert await world.refused(both, AssetPurpose.AVATAR, "image/jpeg") == "file_polyglot"
    appended = picture("PNG", (40, 30)) + hidden
    assert await world.refused(appended, AssetPurpose.AVATAR, PNG) == "file_trailing_data"


async def test_an_image_whose_pixels_are_broken_is_refused(world: World) -> None:
    content = bytearray(picture("PNG", (400, 300)))
    at = content.index(b"IDAT") + 40
    content[at : at + 20] = b"\xff" * 20
    assert await world.refused(bytes(content), AssetPurpose.AVATAR, PNG) == "image_refused"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"purpose": "avatar", "content_type": PNG, "size_bytes": 5 * MIB + 1}, UploadTooLarge),
        ({"size_bytes": 2 * 1024 * MIB + 1}, UploadTooLarge),
        ({"content_type": "application/x-msdownload"}, UploadTypeRefused),
        ({"purpose": "audio", "content_type": "video/mp4"}, UploadTypeRefused),
    ],
)
async def test_what_is_announced_wrongly_is_refused_before_it_comes(
    world: World, claims: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await world.begin(files.archive(), **claims)  # type: ignore[arg-type]
    assert await world.reserved() == 0


# Room.


async def test_no_more_is_let_in_than_the_plan_has_room_for(world: World) -> None:
    first = await world.begin(b"x", size_bytes=ROOM // 2)
    await world.begin(b"x", size_bytes=ROOM // 2)
    with pytest.raises(StorageFull) as full:
        await world.begin(b"x")
    assert full.value.facts == {"limit_bytes": ROOM, "used_bytes": 0, "reserved_bytes": ROOM}
    await abort_upload(first.id, actor=OWNER, uow=world.uow(), clock=world.clock)
    await abort_upload(first.id, actor=OWNER, uow=world.uow(), clock=world.clock)
    assert await world.reserved() == ROOM // 2
    with pytest.raises(UploadClosed):
        await world.send(first, b"x")


async def test_an_image_sent_at_once_needs_room_too(world: World) -> None:
    await world.begin(b"x", size_bytes=ROOM)
    with pytest.raises(StorageFull):
        await upload_image(
            blank_png(10, 10),
            AssetPurpose.AVATAR,
            actor=OWNER,
            uow=world.uow(),
            storage=world.storage,
            images=world.images,
            moderation=world.moderation,
            faces=MemoryFaces(),
            clock=world.clock,
            ids=world.ids,
        )


# What it shows.


@pytest.mark.parametrize("score", [0.6, 0.9])
async def test_a_file_that_shows_nothing_is_not_judged(world: World, score: float) -> None:
    world.classifier.score_of_others = score
    assert (await world.bring(files.archive())).state is UploadState.READY


async def test_a_doubtful_picture_is_kept_for_nobody_s_use(world: World) -> None:
    world.classifier.score_of_others = 0.6
    upload = await world.bring(picture("PNG"), AssetPurpose.AVATAR, PNG)
    assert upload.state is UploadState.READY
    assert (await world.asset(upload.id)).state is AssetState.UNDER_REVIEW
    (case,) = world.database.table("moderation case").rows.values()
    assert (case.subject_kind, case.subject_id) == (SubjectKind.ASSET, upload.id)
    assert (case.state, case.hidden, case.owner_id) == (CaseState.OPEN, True, OWNER.user_id)
    asked = {"actor": OWNER, "uow": world.uow(), "storage": world.storage, "clock": world.clock}
    seen = await read_asset(upload.id, **asked)  # type: ignore[arg-type]
    assert (seen.state, seen.url, seen.preview_url) == (AssetState.UNDER_REVIEW, None, None)
    with pytest.raises(AssetUnderReview):
        await link_copy(upload.id, Copy.BEST, **asked)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await read_asset(upload.id, **asked | {"actor": STRANGER})  # type: ignore[arg-type]
    usage = await world.usage()
    assert usage.used_bytes > 0


async def test_a_blocked_picture_is_refused_and_only_that_it_was_is_kept(world: World) -> None:
    world.classifier.score_of_others = 0.9
    content = picture("PNG")
    assert await world.refused(content, AssetPurpose.AVATAR, PNG) == "upload_blocked"
    assert await world.refused(content, AssetPurpose.AVATAR, PNG) == "upload_blocked"
    (case,) = world.database.table("moderation case").rows.values()
    assert (case.subject_kind, case.state) == (SubjectKind.UPLOAD, CaseState.BLOCKED)
    records = list(world.database.table("judgement").rows.values())
    assert [record.verdict for record in records] == [Verdict.BLOCKED] * 2
    assert {record.sha256 for record in records} == {hashlib.sha256(content).hexdigest()}


async def test_one_frame_is_enough_to_refuse_a_film(world: World) -> None:
    content_type, purpose = "video/mp4", AssetPurpose.PRODUCT_FILE
    world.classifier.scores[frame_at(500)] = 0.9
    assert await world.refused(files.mp4(), purpose, content_type) == "upload_blocked"


async def test_a_film_that_nobody_can_look_at_is_refused(world: World) -> None:
    world.unwatchable = True
    refused = await world.refused(files.mp4(), AssetPurpose.PRODUCT_FILE, "video/mp4")
    assert refused == "media_refused"


async def test_a_film_too_large_to_be_looked_at_is_taken_as_an_archive_is(world: World) -> None:
    world.classifier.score_of_others = 0.9
    world.frames_up_to = 1
    upload = await world.bring(files.mp4(), content_type="video/mp4")
    assert upload.state is UploadState.READY


async def test_a_picture_waits_while_nobody_can_judge_it(world: World) -> None:
    begun = await world.begin(picture("PNG"), AssetPurpose.AVATAR, PNG)
    await world.send(begun, picture("PNG"))
    await world.complete(begun.id)
    world.classifier.fail_with = Unavailable("Busy.", provider="memory")
    with pytest.raises(Unavailable):
        await world.verify(begun.id)
    assert (await world.upload(begun.id)).state is UploadState.VERIFYING
    world.classifier.fail_with = None
    await world.work()
    assert (await world.upload(begun.id)).state is UploadState.READY


# Ends.


async def test_what_is_not_completed_within_a_day_is_given_up_and_erased(world: World) -> None:
    begun = await world.begin(files.archive())
    await world.send(begun, files.archive())
    world.clock.advance(timedelta(hours=24))
    with pytest.raises(UploadExpired):
        await world.complete(begun.id)
    assert await expire_uploads(uow=world.uow(), clock=world.clock) == 1
    assert await expire_uploads(uow=world.uow(), clock=world.clock) == 0
    await world.work()
    assert (await world.upload(begun.id)).state is UploadState.EXPIRED
    assert await world.reserved() == 0
    assert [found async for found in world.storage.open_multiparts("")] == []


async def test_what_was_given_up_is_erased(world: World) -> None:
    begun = await world.begin(files.archive())
    await world.send(begun, files.archive())
    await abort_upload(begun.id, actor=OWNER, uow=world.uow(), clock=world.clock)
    await world.work()
    assert [found async for found in world.storage.open_multiparts("")] == []
    assert await world.reserved() == 0


async def test_an_upload_is_its_senders_alone(world: World) -> None:
    begun = await world.begin(files.archive())
    asked = {"actor": STRANGER, "uow": world.uow()}
    with pytest.raises(NotFound):
        await read_upload(begun.id, storage=world.storage, **asked)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await abort_upload(begun.id, clock=world.clock, **asked)  # type: ignore[arg-type]


async def test_an_asset_that_was_uploaded_can_be_deleted_with_its_bytes(world: World) -> None:
    upload = await world.bring(files.archive())
    seen = await read_asset(
        upload.id, actor=OWNER, uow=world.uow(), storage=world.storage, clock=world.clock
    )
    assert seen.url == seen.clean_url is not None
    assert (seen.preview_url, seen.thumbnail_url, seen.width) == (None, None, None)
    await delete_asset(upload.id, actor=OWNER, uow=world.uow())
    (message,) = world.database.messages
    for key in message.body.keys:  # type: ignore[attr-defined]
        await world.storage.delete(key)
    assert await world.keys() == set()


# Whatever is killed in between.


class Dying(Exception):
    pass


class DyingStorage:
    """Does what it is asked, and dies after so many writes."""

    def __init__(self, storage: ObjectStorage, writes: int) -> None:
        self._storage = storage
        self._left = writes

    def __getattr__(self, name: str) -> object:
        call = getattr(self._storage, name)
        if name not in {"complete_multipart", "copy", "put"}:
            return call

        async def dying(*args: object, **kwargs: object) -> object:
            done = await call(*args, **kwargs)
            self._left -= 1
            if self._left < 0:
                raise Dying
            return done

        return dying


@pytest.mark.parametrize("writes", range(4))
async def test_a_check_that_was_killed_is_taken_up_where_it_was(world: World, writes: int) -> None:
    content = photograph()
    begun = await world.begin(content, AssetPurpose.AVATAR, "image/jpeg")
    await world.send(begun, content)
    await world.complete(begun.id)
    dying = cast("ObjectStorage", DyingStorage(world.storage, writes))
    with pytest.raises(Dying):
        await world.verify(begun.id, dying)
    assert (await world.upload(begun.id)).state is UploadState.VERIFYING
    await world.work()
    assert (await world.upload(begun.id)).state is UploadState.READY
    assert len(await world.keys()) == 3
    assert await world.reserved() == 0


class TestOutages:
    """A store that fails is not the file's fault."""

    async def test_a_store_that_cannot_be_reached_refuses_nothing(
        self, images: PillowImages
    ) -> None:
        clock = ManualClock()
        memory = MemoryStorage(clock=clock)

        async def put(url: str, content: bytes) -> None:
            await memory.receive(url, content)

        world = World(Store(memory, put), images)
        begun = await world.begin(files.archive())
        await world.send(begun, files.archive())
        await world.complete(begun.id)

        class Down(MemoryStorage):
            async def list_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
                raise Unavailable("The store is down.", provider="memory")

        with pytest.raises(Unavailable):
            await world.verify(begun.id, Down(clock=clock))
        assert (await world.upload(begun.id)).state is UploadState.VERIFYING
        await world.work()
        assert (await world.upload(begun.id)).state is UploadState.READY

    async def test_bytes_that_nobody_knows_of_are_swept_from_quarantine(
        self, images: PillowImages
    ) -> None:
        clock = ManualClock()
        memory = MemoryStorage(clock=clock)
        known = UUID(int=1)
        for upload_id in (known, UUID(int=2)):
            await memory.put(f"quarantine/{upload_id}/file", b"x", content_type=ZIP)
            await memory.start_multipart(f"quarantine/{upload_id}/more", content_type=ZIP)
        await memory.put("quarantine/notes.txt", b"by hand", content_type="text/plain")

        async def kept(ids: object) -> set[str]:
            return {f"quarantine/{known}/file", f"quarantine/{known}/more"}

        async def sweep() -> int:
            return await sweep_orphans(storage=memory, kept={"quarantine/": kept}, clock=clock)

        assert await sweep() == 0
        clock.advance(timedelta(days=1, seconds=1))
        assert await sweep() == 2
        assert memory.stored_keys() == {f"quarantine/{known}/file", "quarantine/notes.txt"}
        assert [found.key async for found in memory.open_multiparts("")] == [
            f"quarantine/{known}/more"
        ]
