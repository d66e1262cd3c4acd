"""What is particular to files: signatures, crashes, discs that are full or closed."""

import errno
import resource
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage, explained
from adapters.memory.system import ManualClock
from application.ports.errors import Unavailable
from application.ports.storage import LinkExpired, LinkRefused, ObjectMissing

CLOCK = ManualClock()


def links(clock: ManualClock = CLOCK, *secrets: bytes) -> SignedLinks:
    return SignedLinks(
        base_url="https://likeness.test/files", secrets=secrets or [b"s" * 32], clock=clock
    )


def parts_of(url: str) -> tuple[int, str]:
    query = parse_qs(urlsplit(url).query)
    return int(query["expires"][0]), query["signature"][0]


def test_a_link_verifies_until_its_last_second() -> None:
    clock = ManualClock()
    signer = links(clock)
    expires, signature = parts_of(
        signer.sign("a/b", expires_in=timedelta(minutes=5), download_name=None)
    )
    clock.advance(timedelta(minutes=4, seconds=59))
    assert signer.verify("a/b", expires=expires, signature=signature, download_name=None) == 1
    clock.advance(timedelta(seconds=1))
    with pytest.raises(LinkExpired):
        signer.verify("a/b", expires=expires, signature=signature, download_name=None)


@pytest.mark.parametrize(
    ("key", "later_s", "name", "secret"),
    [
        ("a/c", 0, "n", b"s" * 32),
        ("a/b", 1, "n", b"s" * 32),
        ("a/b", 0, None, b"s" * 32),
        ("a/b", 0, "m", b"s" * 32),
        ("a/b", 0, "n", b"t" * 32),
    ],
)
def test_a_link_vouches_for_its_key_expiry_and_name_only(
    key: str, later_s: int, name: str | None, secret: bytes
) -> None:
    expires, signature = parts_of(
        links().sign("a/b", expires_in=timedelta(minutes=5), download_name="n")
    )
    with pytest.raises(LinkRefused):
        links(CLOCK, secret).verify(
            key, expires=expires + later_s, signature=signature, download_name=name
        )


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        links(CLOCK, b"short")


async def test_what_a_crash_left_behind_is_not_an_object(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path, links=links())
    await storage.put("a/whole", b"whole", content_type="text/plain")
    (tmp_path / ".incoming" / "tmp-half").write_bytes(b"hal")
    assert [found.key async for found in storage.listing("")] == ["a/whole"]


async def test_a_file_that_the_store_did_not_write_is_not_served(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path, links=links())
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "planted").write_bytes(b"anything")
    with pytest.raises(Unavailable, match="not written by this store"):
        await storage.get("planted")


async def test_a_folder_that_is_a_file_says_what_is_wrong(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.write_bytes(b"")
    storage = FilesystemStorage(root, links=links())
    with pytest.raises(Unavailable, match="Storage below"):
        await storage.check()


async def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path, links=links())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(Unavailable, match="ulimit -f"):
            await storage.put("a", b"x" * 5000, content_type="text/plain")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(ObjectMissing):
        await storage.get("a")
    assert list((tmp_path / ".incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "read and write permission")],
)
def test_what_the_disc_refuses_says_what_to_do(number: int, advice: str) -> None:
    with pytest.raises(Unavailable, match=advice), explained(Path("/data")):
        raise OSError(number, "refused")


def test_links_of_the_old_secret_are_served_while_it_rotates() -> None:
    old, new = b"o" * 32, b"n" * 32
    url = links(CLOCK, old).sign("a/b", expires_in=timedelta(hours=1), download_name=None)
    expires, signature = parts_of(url)
    rotating = links(CLOCK, new, old)
    assert rotating.verify("a/b", expires=expires, signature=signature, download_name=None) > 0
    with pytest.raises(LinkRefused):
        links(CLOCK, new).verify("a/b", expires=expires, signature=signature, download_name=None)
