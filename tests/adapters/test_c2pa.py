"""What only the real library can get wrong: safes, clocks, forks, films."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import psutil
import pytest

from adapters.c2pa.credentials import C2paCredentials
from adapters.c2pa.development import LEAF_LIFE, development_material
from adapters.c2pa.signers import Algorithm, LocalKey, SigningMaterial
from application.ports.errors import Unavailable
from domain.media.provenance import Verdict
from tests.contracts.test_content_credentials import claim
from tests.pictures import picture


@dataclass(frozen=True)
class BrokenSafe:
    certificates: str
    algorithm: Algorithm = "es256"

    def sign(self, data: bytes) -> bytes:
        raise TimeoutError("the key management does not answer")


@pytest.fixture
def credentials(tmp_path: Path) -> Iterator[C2paCredentials]:
    opened = C2paCredentials(lambda: development_material(tmp_path / "credentials"))
    yield opened
    opened.close()


async def refused(material: SigningMaterial) -> None:
    credentials = C2paCredentials(lambda: material)
    with pytest.raises(Unavailable):
        await credentials.sign(picture(), "image/png", claim())
    credentials.close()


async def test_a_safe_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    material = development_material(tmp_path / "credentials")
    assert isinstance(material.signer, LocalKey)
    safe = BrokenSafe(material.signer.certificates)
    await refused(SigningMaterial(signer=safe, anchors=material.anchors))


async def test_an_expired_certificate_signs_nothing(tmp_path: Path) -> None:
    long_ago = datetime.now(UTC) - LEAF_LIFE - timedelta(days=1)
    await refused(development_material(tmp_path / "credentials", now=long_ago))


async def test_a_timestamp_authority_that_is_away_is_an_outage(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    await refused(development_material(folder, timestamp_url="http://127.0.0.1:9/tsa"))


async def test_without_any_certificate_nothing_is_signed(tmp_path: Path) -> None:
    def missing() -> SigningMaterial:
        raise FileNotFoundError("no such file")

    credentials = C2paCredentials(missing)
    with pytest.raises(Unavailable):
        await credentials.certificate()
    credentials.close()


async def test_a_forked_process_signs_with_a_signer_of_its_own(
    credentials: C2paCredentials, tmp_path: Path
) -> None:
    """As workers do that are forked after the first file was signed."""
    await credentials.sign(picture(), "image/png", claim())
    out = tmp_path / "signed.png"

    child = os.fork()
    if child == 0:
        status = 1
        try:
            loop = asyncio.new_event_loop()
            signed = loop.run_until_complete(credentials.sign(picture(), "image/png", claim()))
            out.write_bytes(signed.content)
            status = 0
        finally:
            os._exit(status)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    report = await credentials.read(out.read_bytes(), "image/png")
    assert report.verdict is Verdict.VALID


async def test_a_film_carries_them_too(credentials: C2paCredentials, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=d=1:s=160x120"]
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, str(film)]
    await asyncio.to_thread(subprocess.run, ffmpeg, check=True)

    signed = await credentials.sign(film.read_bytes(), "video/mp4", claim())

    report = await credentials.read(signed.content, "video/mp4")
    assert report.verdict is Verdict.VALID
    changed = bytearray(signed.content)
    changed[-100] ^= 1
    assert (await credentials.read(bytes(changed), "video/mp4")).verdict is Verdict.INVALID


async def test_a_reader_that_was_killed_is_replaced(credentials: C2paCredentials) -> None:
    signed = await credentials.sign(picture(), "image/png", claim())
    before = children()
    assert (await credentials.read(signed.content, "image/png")).verdict is Verdict.VALID
    for pid in children() - before:
        os.kill(pid, signal.SIGKILL)

    assert (await credentials.read(signed.content, "image/png")).verdict is Verdict.VALID


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
