"""What every store of objects promises of objects that arrive in parts, and of large ones."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from application.ports.multipart import (
    MIN_PART_BYTES,
    MultipartMissing,
    PartRefused,
    PartsRefused,
    StoredPart,
)
from application.ports.storage import ObjectMissing, ObjectStorage, StoredObject
from tests.contracts.test_object_storage import bucket_of, s3_server

__all__ = ["s3_server"]

KEY = "quarantine/1/file"
FIVE = b"5" * MIN_PART_BYTES
PART_LIFE = timedelta(minutes=15)
MADE_UP = StoredPart(number=1, size_bytes=5, etag="0" * 32)


class Store(NamedTuple):
    """A store, and how a client sends a part to a link that it was given."""

    storage: ObjectStorage
    put: Callable[[str, bytes], Awaitable[None]]

    async def send(self, multipart_id: str, number: int, content: bytes, key: str = KEY) -> None:
        url = await self.storage.part_url(
            key, multipart_id, number, size_bytes=len(content), expires_in=PART_LIFE
        )
        await self.put(url, content)


@pytest.fixture(params=["memory", "filesystem", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    clock = ManualClock(datetime.now(UTC))
    match request.param:
        case "memory":
            memory = MemoryStorage(clock=clock)

            async def receive(url: str, content: bytes) -> None:
                await memory.receive(url, content)

            yield Store(memory, receive)
        case "filesystem":
            links = SignedLinks(base_url="https://x.test/f", secrets=[b"s" * 32], clock=clock)
            files = FilesystemStorage(tmp_path, links=links)
            yield Store(files, receiving(files, links))
        case "s3":
            bucket = bucket_of(request.getfixturevalue("s3_server"))
            async with httpx.AsyncClient() as client:

                async def put(url: str, content: bytes) -> None:
                    (await client.put(url, content=content)).raise_for_status()

                yield Store(bucket, put)
            bucket.close()


def receiving(
    files: FilesystemStorage, links: SignedLinks
) -> Callable[[str, bytes], Awaitable[None]]:
    """What the application does with a PUT."""

    async def put(url: str, content: bytes) -> None:
        address = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        key, number, size_bytes = (
            address.path.removeprefix("/f/"),
            int(query["part"]),
            int(query["size"]),
        )
        links.verify_part(
            key,
            query["multipart"],
            number,
            size_bytes=size_bytes,
            expires=int(query["expires"]),
            signature=query["signature"],
        )
        await files.receive_part(
            key, query["multipart"], number, size_bytes=size_bytes, chunks=chunks_of(content)
        )

    return put


async def chunks_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


async def begun(store: Store) -> str:
    return await store.storage.start_multipart(KEY, content_type="application/zip")


async def test_parts_make_an_object_whatever_the_order_in_which_they_came(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 2, b"the end")
    assert [part.number for part in await store.storage.list_parts(KEY, multipart_id)] == [2]
    await store.send(multipart_id, 1, FIVE)
    parts = await store.storage.list_parts(KEY, multipart_id)
    assert [(part.number, part.size_bytes) for part in parts] == [(1, len(FIVE)), (2, 7)]
    await store.storage.complete_multipart(KEY, multipart_id, parts)
    assert await store.storage.get(KEY) == FIVE + b"the end"
    assert await store.storage.stat(KEY) == StoredObject(
        key=KEY, size_bytes=len(FIVE) + 7, content_type="application/zip", sha256=""
    )


async def test_nothing_can_be_read_before_the_end(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 1, b"bytes")
    with pytest.raises(ObjectMissing):
        await store.storage.get(KEY)
    assert [found async for found in store.storage.listing("")] == []


async def test_a_part_that_is_sent_again_replaces_itself(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 1, b"first")
    first = await store.storage.list_parts(KEY, multipart_id)
    await store.send(multipart_id, 1, b"again")
    again = await store.storage.list_parts(KEY, multipart_id)
    assert again != first
    with pytest.raises(PartsRefused):
        await store.storage.complete_multipart(KEY, multipart_id, first)
    await store.storage.complete_multipart(KEY, multipart_id, again)
    assert await store.storage.get(KEY) == b"again"


async def test_all_parts_but_the_last_need_five_mebibytes(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 1, FIVE[:-1])
    await store.send(multipart_id, 2, b"the end")
    parts = await store.storage.list_parts(KEY, multipart_id)
    with pytest.raises(PartsRefused):
        await store.storage.complete_multipart(KEY, multipart_id, parts)


async def test_parts_that_were_never_sent_are_refused(store: Store) -> None:
    multipart_id = await begun(store)
    with pytest.raises(PartsRefused):
        await store.storage.complete_multipart(KEY, multipart_id, [])
    with pytest.raises(PartsRefused):
        await store.storage.complete_multipart(KEY, multipart_id, [MADE_UP])


async def test_what_was_given_up_is_missing_and_may_be_given_up_again(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 1, b"bytes")
    await store.storage.abort_multipart(KEY, multipart_id)
    await store.storage.abort_multipart(KEY, multipart_id)
    with pytest.raises(MultipartMissing):
        await store.storage.list_parts(KEY, multipart_id)


async def test_what_was_put_together_is_no_upload_in_parts_any_more(store: Store) -> None:
    multipart_id = await begun(store)
    await store.send(multipart_id, 1, b"bytes")
    parts = await store.storage.list_parts(KEY, multipart_id)
    assert [found.key async for found in store.storage.open_multiparts("quarantine/")] == [KEY]
    assert [found async for found in store.storage.open_multiparts("assets/")] == []
    await store.storage.complete_multipart(KEY, multipart_id, parts)
    assert [found async for found in store.storage.open_multiparts("")] == []
    with pytest.raises(MultipartMissing):
        await store.storage.list_parts(KEY, multipart_id)


@pytest.mark.parametrize(("number", "size_bytes"), [(0, 1), (10_001, 1), (1, 0)])
async def test_no_link_is_made_for_a_part_that_cannot_be(
    store: Store, number: int, size_bytes: int
) -> None:
    multipart_id = await begun(store)
    with pytest.raises(ValueError, match="a part has"):
        await store.storage.part_url(
            KEY, multipart_id, number, size_bytes=size_bytes, expires_in=PART_LIFE
        )


async def test_a_copy_has_the_type_and_the_hash_that_it_is_given(store: Store) -> None:
    content = b"content" * 1000
    await store.storage.put("a/1", content, content_type="text/plain")
    sha256 = hashlib.sha256(content).hexdigest()
    copied = await store.storage.copy("a/1", "b/2", content_type="image/png", sha256=sha256)
    assert copied == await store.storage.stat("b/2")
    assert (copied.content_type, copied.sha256) == ("image/png", sha256)
    assert await store.storage.get("b/2") == content == await store.storage.get("a/1")
    with pytest.raises(ObjectMissing):
        await store.storage.copy("none", "b/3", content_type="image/png", sha256=sha256)


async def test_a_file_is_put_as_its_bytes_are(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(FIVE)
    stored = await store.storage.put_file("assets/1/clean.mp4", path, content_type="video/mp4")
    assert stored == await store.storage.stat("assets/1/clean.mp4")
    assert stored.sha256 == hashlib.sha256(FIVE).hexdigest()


@pytest.mark.parametrize("content", [b"", b"0123456789" * 300_000])
async def test_an_object_can_be_looked_into_anywhere(store: Store, content: bytes) -> None:
    await store.storage.put("a/1", content, content_type="text/plain")
    async with store.storage.open_copy("a/1") as copy:
        assert copy.sha256 == hashlib.sha256(content).hexdigest()
        assert copy.size_bytes == len(copy.content) == len(content)
        assert copy.content[-4:] == content[-4:]
        assert copy.content.rfind(b"9012") == content.rfind(b"9012")
    with pytest.raises(ObjectMissing):
        async with store.storage.open_copy("none"):
            pass


class TestServedByUs:
    """What S3 itself enforces, and its test server does not."""

    @pytest.fixture(params=["memory", "filesystem"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
        clock = ManualClock(datetime.now(UTC))
        if request.param == "filesystem":
            links = SignedLinks(base_url="https://x.test/f", secrets=[b"s" * 32], clock=clock)
            files = FilesystemStorage(tmp_path, links=links)
            return Store(files, receiving(files, links))
        memory = MemoryStorage(clock=clock)

        async def receive(url: str, content: bytes) -> None:
            await memory.receive(url, content)

        return Store(memory, receive)

    @pytest.mark.parametrize("sent", [b"", b"123", b"12345", b"1" * 3_000_000])
    async def test_a_body_of_another_length_is_refused_and_not_kept(
        self, store: Store, sent: bytes
    ) -> None:
        multipart_id = await begun(store)
        url = await store.storage.part_url(KEY, multipart_id, 1, size_bytes=4, expires_in=PART_LIFE)
        with pytest.raises(PartRefused):
            await store.put(url, sent)
        assert await store.storage.list_parts(KEY, multipart_id) == []

    async def test_an_id_belongs_to_one_key(self, store: Store) -> None:
        multipart_id = await begun(store)
        with pytest.raises(MultipartMissing):
            await store.storage.list_parts("quarantine/2/file", multipart_id)
        with pytest.raises(MultipartMissing):
            await store.storage.list_parts(KEY, "../../objects")
        await store.storage.abort_multipart("quarantine/2/file", multipart_id)
        assert await store.storage.list_parts(KEY, multipart_id) == []

    async def test_what_was_given_up_cannot_be_put_together(self, store: Store) -> None:
        multipart_id = await begun(store)
        await store.storage.abort_multipart(KEY, multipart_id)
        with pytest.raises(MultipartMissing):
            await store.storage.complete_multipart(KEY, multipart_id, [MADE_UP])
