"""What every store of objects promises, whoever keeps the bytes."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from adapters.s3.storage import S3Storage
from application.ports.storage import ObjectKeyRefused, ObjectMissing, ObjectStorage, attachment


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "filesystem", "s3"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStorage]:
    clock = ManualClock(datetime.now(UTC))
    match request.param:
        case "memory":
            yield MemoryStorage(clock=clock)
        case "filesystem":
            links = SignedLinks(
                base_url="https://likeness.test/api/v1/files", secrets=[b"s" * 32], clock=clock
            )
            yield FilesystemStorage(tmp_path, links=links)
        case "s3":
            store = bucket_of(request.getfixturevalue("s3_server"))
            yield store
            store.close()


def bucket_of(endpoint_url: str) -> S3Storage:
    bucket = f"test-{uuid4()}"
    admin = boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    admin.create_bucket(Bucket=bucket)
    admin.close()
    return S3Storage(
        bucket=bucket,
        region="us-east-1",
        access_key_id="key",
        secret_access_key="secret",
        endpoint_url=endpoint_url,
    )


async def test_what_is_put_can_be_got(storage: ObjectStorage) -> None:
    content = bytes(range(256)) * 5
    stored = await storage.put("assets/1/clean.png", content, content_type="image/png")
    assert await storage.get("assets/1/clean.png") == content
    assert stored.size_bytes == 1280
    assert stored.sha256 == hashlib.sha256(content).hexdigest()


async def test_stat_tells_the_same_as_put(storage: ObjectStorage) -> None:
    stored = await storage.put("assets/1/clean.png", b"bytes", content_type="image/png")
    assert await storage.stat("assets/1/clean.png") == stored
    assert stored.content_type == "image/png"


async def test_an_empty_object_is_an_object(storage: ObjectStorage) -> None:
    await storage.put("empty", b"", content_type="text/plain")
    assert await storage.get("empty") == b""
    assert [chunk async for chunk in storage.stream("empty")] == []


async def test_a_second_put_replaces_the_object_and_its_facts(storage: ObjectStorage) -> None:
    await storage.put("a/b", b"first and long", content_type="text/plain")
    await storage.put("a/b", b"second", content_type="image/gif")
    assert await storage.get("a/b") == b"second"
    assert (await storage.stat("a/b")).content_type == "image/gif"


async def test_what_was_never_put_is_missing(storage: ObjectStorage) -> None:
    with pytest.raises(ObjectMissing):
        await storage.get("assets/none")
    with pytest.raises(ObjectMissing):
        await storage.stat("assets/none")
    with pytest.raises(ObjectMissing):
        [chunk async for chunk in storage.stream("assets/none")]


async def test_a_folder_is_not_an_object(storage: ObjectStorage) -> None:
    await storage.put("assets/1/clean", b"bytes", content_type="text/plain")
    with pytest.raises(ObjectMissing):
        await storage.get("assets/1")
    with pytest.raises(ObjectMissing):
        await storage.get("assets/1/clean/more")


async def test_a_deleted_object_is_missing_and_may_be_deleted_again(
    storage: ObjectStorage,
) -> None:
    await storage.put("a", b"bytes", content_type="text/plain")
    await storage.delete("a")
    await storage.delete("a")
    with pytest.raises(ObjectMissing):
        await storage.get("a")


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 4, b"0123"),
        (3, 4, b"3456"),
        (8, None, b"89"),
        (8, 40, b"89"),
        (10, None, b""),
    ],
)
async def test_a_part_can_be_streamed(
    storage: ObjectStorage, offset: int, length: int | None, expected: bytes
) -> None:
    await storage.put("digits", b"0123456789", content_type="text/plain")
    chunks = [
        chunk
        async for chunk in storage.stream("digits", offset=offset, length=length, chunk_bytes=3)
    ]
    assert b"".join(chunks) == expected
    assert all(len(chunk) <= 3 for chunk in chunks)


async def test_a_listing_has_exactly_the_keys_below_a_prefix(storage: ObjectStorage) -> None:
    for key in ("assets/1/clean", "assets/2/clean", "assets-old", "models/1"):
        await storage.put(key, b"bytes", content_type="text/plain")
    listed = [found async for found in storage.listing("assets/")]
    assert {found.key for found in listed} == {"assets/1/clean", "assets/2/clean"}
    assert all(
        abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=5) for found in listed
    )


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".hidden", "A", "a b", "a\x00", "é"]
)
async def test_what_is_not_a_key_is_refused(storage: ObjectStorage, key: str) -> None:
    with pytest.raises(ObjectKeyRefused):
        await storage.put(key, b"", content_type="text/plain")
    with pytest.raises(ObjectKeyRefused):
        await storage.get(key)
    with pytest.raises(ObjectKeyRefused):
        await storage.stat(key)
    with pytest.raises(ObjectKeyRefused):
        await storage.delete(key)
    with pytest.raises(ObjectKeyRefused):
        await storage.signed_url(key, expires_in=timedelta(minutes=5))


async def test_a_signed_url_names_the_object_and_its_end(storage: ObjectStorage) -> None:
    url = await storage.signed_url(
        "assets/1/clean.png", expires_in=timedelta(minutes=5), download_name="my picture.png"
    )
    assert urlsplit(url).scheme
    assert "assets/1/clean.png" in url
    assert "my%20picture.png" in url or "my+picture.png" in url
    assert any(name.lower().endswith("expires") for name in parse_qs(urlsplit(url).query))


async def test_the_check_leaves_nothing_behind(storage: ObjectStorage) -> None:
    await storage.check()
    assert [found async for found in storage.listing("")] == []


def test_a_download_name_cannot_break_out_of_its_header() -> None:
    header = attachment('x"; filename="evil.exe\r\nSet-Cookie: a=b é.png')
    assert header == (
        'attachment; filename="x_; filename=_evil.exe__Set-Cookie: a=b _.png"; '
        "filename*=UTF-8''x%22%3B%20filename%3D%22evil.exe%0D%0ASet-Cookie%3A%20a%3Db%20%C3%A9.png"
    )
