"""What everything that processes images promises."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import pytest

from adapters.memory.images import MemoryImages, blank_png
from adapters.pillow.processor import PillowImages
from application.ports.images import ImageProcessor, ImageRefused, ImageTypeRefused
from domain.media.provenance import SourceType
from tests.pictures import picture


@pytest.fixture(scope="module")
def pillow() -> Iterator[PillowImages]:
    processor = PillowImages(workers=1)
    yield processor
    processor.close()


@pytest.fixture(params=["memory", "pillow"])
def images(request: pytest.FixtureRequest) -> ImageProcessor:
    if request.param == "memory":
        return MemoryImages()
    processor: PillowImages = request.getfixturevalue("pillow")
    return processor


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_an_image_is_known_by_its_bytes(images: ImageProcessor, kind: str) -> None:
    facts = await images.inspect(picture(kind, (40, 30)))
    assert (facts.format, facts.width, facts.height) == (kind.lower(), 40, 30)
    assert facts.content_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"%PDF-1.7", b"BM" + b"\x00" * 60])
async def test_other_kinds_are_refused_as_such(images: ImageProcessor, content: bytes) -> None:
    with pytest.raises(ImageTypeRefused):
        await images.inspect(content)
    with pytest.raises(ImageTypeRefused):
        await images.derive(content, watermark=None)


async def test_a_header_alone_is_refused(images: ImageProcessor) -> None:
    with pytest.raises(ImageRefused):
        await images.inspect(picture("PNG")[:12])


async def test_more_than_fifty_megapixels_are_refused_by_the_header(
    images: ImageProcessor,
) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 8000, 8000, 8, 0, 0, 0, 0)
    bomb = blank_png(1, 1)
    bomb = bomb[:12] + header + struct.pack(">I", zlib.crc32(header)) + bomb[33:]
    with pytest.raises(ImageRefused, match="50 megapixels"):
        await images.inspect(bomb)


@pytest.mark.parametrize(
    ("kind", "clean_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/png"),
    ],
)
async def test_a_clean_copy_keeps_size_and_format_but_for_gif(
    images: ImageProcessor, kind: str, clean_type: str
) -> None:
    clean = await images.sanitise(picture(kind, (40, 30)))
    assert (clean.content_type, clean.width, clean.height) == (clean_type, 40, 30)


async def test_a_grey_copy_has_a_byte_for_each_pixel(images: ImageProcessor) -> None:
    small = await images.grey(picture("PNG", (60, 40)), longest_px=512)
    assert (small.width, small.height, len(small.pixels)) == (60, 40, 2400)
    shrunk = await images.grey(picture("JPEG", (1200, 600)), longest_px=512)
    assert (shrunk.width, shrunk.height, len(shrunk.pixels)) == (512, 256, 512 * 256)
    with pytest.raises(ImageRefused):
        await images.grey(picture("PNG")[:12], longest_px=512)


async def test_derivatives_fit_their_bounds(images: ImageProcessor) -> None:
    made = await images.derive(picture("PNG", (2400, 1200)), watermark="PREVIEW")
    assert (made.clean.width, made.clean.height) == (2400, 1200)
    assert (made.preview.width, made.preview.height) == (1024, 512)
    assert (made.thumbnail.width, made.thumbnail.height) == (512, 256)
    assert made.preview.content_type == made.thumbnail.content_type == "image/jpeg"


async def test_nothing_is_enlarged(images: ImageProcessor) -> None:
    made = await images.derive(picture("PNG", (40, 30)), watermark=None)
    assert (made.preview.width, made.thumbnail.width) == (40, 40)


async def test_an_archive_holds_the_named_files(images: ImageProcessor) -> None:
    archive = await images.archive([("1.png", b"one"), ("2.jpg", b"two")])
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        assert {name: read.read(name) for name in read.namelist()} == {
            "1.png": b"one",
            "2.jpg": b"two",
        }


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_how_it_was_made_is_written_into_every_copy(
    images: ImageProcessor, kind: str
) -> None:
    uri = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    made = await images.derive(picture(kind), watermark="PREVIEW", source=SourceType.TRAINED)
    silent = await images.derive(picture(kind), watermark="PREVIEW")

    for copy in (made.clean, made.preview, made.thumbnail):
        assert copy.content.count(uri) == 1
        assert b"Iptc4xmpExt:DigitalSourceType" in copy.content
    for copy in (silent.clean, silent.preview, silent.thumbnail):
        assert b"Iptc4xmpExt" not in copy.content
