"""What Pillow is trusted with: privacy, colours, damaged files, and workers that die."""

import os
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat
from PIL.PngImagePlugin import PngInfo

from adapters.pillow import work
from adapters.pillow.processor import PillowImages
from application.ports.errors import Unavailable
from application.ports.images import ImageRefused
from tests.pictures import opened, picture


@pytest.fixture
def images() -> Iterator[PillowImages]:
    processor = PillowImages(workers=1, max_waiting=2)
    yield processor
    processor.close()


def exif_with_place(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a private description"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def test_no_metadata_survives_in_a_jpeg() -> None:
    photo = picture(
        "JPEG", exif=exif_with_place(), comment=b"a private comment", xmp=b"<x:private/>"
    )
    assert b"private" in photo
    clean = work.sanitise(photo).content
    assert b"private" not in clean
    assert not opened(clean).getexif()
    assert "comment" not in opened(clean).info


def test_no_metadata_survives_in_a_png() -> None:
    note = PngInfo()
    note.add_text("Author", "a private name")
    note.add_itxt("XML:com.adobe.xmp", "<x:private/>")
    photo = picture("PNG", exif=exif_with_place(), pnginfo=note)
    made = work.derive(photo, None)
    for rendition in (made.clean, made.preview, made.thumbnail):
        assert b"private" not in rendition.content


def test_no_metadata_survives_in_a_webp() -> None:
    photo = picture("WEBP", exif=exif_with_place(), xmp=b"<x:private/>")
    assert b"private" in photo
    assert b"private" not in work.sanitise(photo).content


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    facts = work.inspect(picture("JPEG", (40, 30), exif=exif_with_place(orientation=6)))
    assert (facts.width, facts.height) == (30, 40)
    clean = work.sanitise(picture("JPEG", (40, 30), exif=exif_with_place(orientation=6)))
    assert opened(clean.content).size == (clean.width, clean.height) == (30, 40)


def test_colours_are_converted_before_the_profile_is_dropped() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    same = picture("PNG", icc_profile=lab.tobytes())
    clean = opened(work.sanitise(same).content)
    assert "icc_profile" not in clean.info
    difference = ImageChops.difference(clean, opened(same).convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < 1


def test_a_profile_that_cannot_be_read_is_ignored() -> None:
    assert work.sanitise(picture("PNG", icc_profile=b"not a profile")).width == 40


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_common_mode_becomes_an_image(mode: str) -> None:
    made = work.derive(picture("PNG", mode=mode), "PREVIEW")
    assert opened(made.preview.content).mode == "RGB"


def test_transparency_is_kept_in_the_clean_copy_and_white_in_the_preview() -> None:
    glass = work.derive(_transparent_png(), None)
    assert opened(glass.clean.content).getpixel((5, 5)) == (0, 0, 0, 0)
    assert opened(glass.preview.content).getpixel((5, 5)) == (255, 255, 255)


def _transparent_png() -> bytes:
    import io

    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    return out.getvalue()


def test_the_watermark_covers_every_part_of_preview_and_thumbnail() -> None:
    photo = picture("PNG", (1600, 1200))
    plain, marked = work.derive(photo, None), work.derive(photo, "PREVIEW")
    assert plain.clean.content == marked.clean.content
    for before, after in ((plain.preview, marked.preview), (plain.thumbnail, marked.thumbnail)):
        difference = ImageChops.difference(opened(before.content), opened(after.content))
        width, height = difference.size
        for column in range(3):
            for row in range(3):
                box = (
                    width * column // 3,
                    height * row // 3,
                    width * (column + 1) // 3,
                    height * (row + 1) // 3,
                )
                assert max(high for _, high in difference.crop(box).getextrema()) > 30  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_half_a_file_is_refused(kind: str) -> None:
    whole = picture(kind, (400, 300))
    with pytest.raises(ImageRefused):
        work.derive(whole[: len(whole) // 2], None)


async def test_a_refusal_crosses_from_the_worker(images: PillowImages) -> None:
    with pytest.raises(ImageRefused, match="damaged"):
        await images.inspect(picture("PNG")[:50])


async def test_a_dead_worker_is_replaced(images: PillowImages) -> None:
    with pytest.raises(Unavailable, match="died"):
        await images._run(os._exit, 1)
    assert (await images.inspect(picture("PNG"))).width == 40


async def test_more_work_than_fits_is_refused(images: PillowImages) -> None:
    import asyncio

    answers = await asyncio.gather(
        *(images.inspect(picture("PNG")) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer).__name__ for answer in answers] == [
        "ImageFacts",
        "ImageFacts",
        "Unavailable",
    ]
