"""What a file is, told by how it is built, and what is refused whatever it is called."""

import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from typing_extensions import Buffer

from domain.media.asset import Media
from domain.media.formats import FileFormat, examine
from domain.media.structure.found import FileRefused
from tests import files
from tests.pictures import picture

SAMPLES: dict[FileFormat, Callable[[], bytes]] = {
    FileFormat.PNG: lambda: picture("PNG", (40, 30)),
    FileFormat.JPEG: lambda: picture("JPEG", (40, 30)),
    FileFormat.GIF: lambda: picture("GIF", (40, 30)),
    FileFormat.WEBP: lambda: picture("WEBP", (40, 30)),
    FileFormat.PDF: files.pdf,
    FileFormat.MP4: files.mp4,
    FileFormat.MP3: files.mp3,
    FileFormat.WAV: files.wav,
    FileFormat.ZIP: files.archive,
}


def reason(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        examine(content)
    return refused.value.reason


@pytest.mark.parametrize("kind", FileFormat)
def test_each_accepted_format_is_known_by_its_structure(kind: FileFormat) -> None:
    found = examine(SAMPLES[kind]())
    assert found.format is kind
    if kind.media is Media.IMAGE:
        assert (found.width, found.height) == (40, 30)
    if kind.media in {Media.AUDIO, Media.VIDEO}:
        assert found.duration_ms is not None
        assert 900 <= found.duration_ms <= 1100


@pytest.mark.parametrize("kind", FileFormat)
def test_what_follows_the_end_of_a_file_is_refused(kind: FileFormat) -> None:
    content = SAMPLES[kind]() + b"<script>alert(1)</script>"
    assert reason(content) in {"file_trailing_data", "file_damaged"}


@pytest.mark.parametrize("kind", [kind for kind in FileFormat if kind is not FileFormat.ZIP])
def test_a_file_that_is_an_archive_as_well_is_refused(kind: FileFormat) -> None:
    assert reason(SAMPLES[kind]() + files.archive()).startswith("file_")


def test_an_archive_hidden_inside_an_image_is_found_too() -> None:
    """In a JPEG comment up to the end, so that nothing follows the image."""
    hidden = files.archive()
    scan = picture("JPEG", (40, 30))
    comment = b"\xff\xfe" + struct.pack(">H", len(hidden) + 2) + hidden
    assert reason(scan[:-2] + comment + b"\xff\xd9") == "file_polyglot"


def test_an_image_that_is_a_document_as_well_is_refused() -> None:
    image = picture("JPEG", (40, 30))
    text = b"%PDF-1.4 1 0 obj"
    comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    assert reason(image[:2] + comment + image[2:]) == "file_polyglot"


@pytest.mark.parametrize("kind", [kind for kind in FileFormat if kind is not FileFormat.MP3])
def test_half_a_file_is_refused(kind: FileFormat) -> None:
    """Half a song is a song; its hash is what tells."""
    content = SAMPLES[kind]()
    assert reason(content[: len(content) // 2]).startswith("file_")


@given(st.sampled_from(list(FileFormat)), st.data())
def test_a_broken_file_is_refused_or_read_but_never_an_accident(
    kind: FileFormat, data: st.DataObject
) -> None:
    content = bytearray(SAMPLES[kind]())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FileRefused):
        found = examine(bytes(content[: data.draw(st.integers(1, len(content)))]))
        assert found.format in FileFormat


@pytest.mark.parametrize(
    "content",
    [b"MZ\x90\0 a program", b"<svg onload='x'/>", b"<!doctype html>", b"#!/bin/sh\n", b"\0" * 99],
)
def test_other_kinds_of_files_are_refused(content: bytes) -> None:
    assert reason(content) == "file_type_refused"


def test_pictures_of_the_iso_family_and_quicktime_are_no_mp4() -> None:
    for brand in (b"heic", b"avif", b"qt  "):
        assert reason(files.mp4().replace(b"isom", brand, 1)) == "file_type_refused"


def test_a_header_that_promises_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    assert reason(files.png_of(20_000, 20_000)) == "image_too_large"


def test_the_further_images_of_a_camera_may_follow_a_jpeg() -> None:
    image = picture("JPEG", (40, 30))
    assert examine(image + picture("JPEG", (20, 15)) + b"\0" * 100).width == 40


def test_a_jpeg_of_many_scans_is_read_to_its_end() -> None:
    out = io.BytesIO()
    drawn = Image.effect_noise((300, 200), 90).convert("RGB")
    ImageDraw.Draw(drawn).line((0, 0, 300, 200), fill="red", width=9)
    drawn.save(out, "JPEG", progressive=True, restart_marker_blocks=2)
    assert examine(out.getvalue()).width == 300


def zipped(*names: str, content: bytes = b"text", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name in names:
            target.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["../up", "a/../../b", "/etc/passwd", "c:/windows", "..\\up", "\\\\host\\share"]
)
def test_an_archive_whose_names_lead_out_is_refused(name: str) -> None:
    assert reason(zipped(name)) == "zip_path"


def test_an_archive_with_a_link_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        target.writestr(link, "/etc/passwd")
    assert reason(out.getvalue()) == "zip_path"


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused() -> None:
    assert reason(zipped("zeros", content=b"\0" * 8_000_000)) == "zip_bomb"


def test_an_archive_that_states_less_than_it_unpacks_to_is_refused() -> None:
    content = zipped("zeros", content=b"\0" * 900_000)
    stated, lied = struct.pack("<I", 900_000), struct.pack("<I", 10)
    assert content.count(stated) == 2
    assert reason(content.replace(stated, lied)) == "zip_bomb"


def test_archives_whose_files_share_their_bytes_are_refused() -> None:
    """As in the best of all bombs: a second entry of the directory points at the first's data."""
    content = zipped("same", content=b"x" * 1000)
    directory = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[directory:end]
    record = bytearray(content[end:])
    record[8:12] = struct.pack("<HH", 2, 2)
    record[12:16] = struct.pack("<I", 2 * len(entry))
    assert reason(content[:directory] + entry * 2 + bytes(record)) == "zip_bomb"


def test_an_archive_of_too_many_files_is_refused() -> None:
    names = [str(number) for number in range(10_001)]
    assert reason(zipped(*names, content=b"")) == "zip_bomb"


def test_an_archive_in_an_archive_is_refused_whatever_it_is_called() -> None:
    assert reason(zipped("notes.txt", content=zipped("a"))) == "zip_nested"


def test_an_encrypted_archive_is_refused() -> None:
    content = bytearray(zipped("a", method=zipfile.ZIP_STORED))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert reason(bytes(content)) == "zip_encrypted"


def test_an_archive_behind_a_program_is_refused() -> None:
    assert reason(b"MZ" + zipped("a")) == "file_type_refused"
    assert reason(b"PK\x03\x04 not quite" + zipped("a")) in {"file_damaged", "zip_bomb"}


def test_an_archive_with_wrong_bytes_is_refused() -> None:
    content = bytearray(zipped("a", content=b"some text", method=zipfile.ZIP_STORED))
    content[content.index(b"some text")] ^= 1
    assert reason(bytes(content)) == "file_damaged"


def test_an_archive_of_the_wide_kind_and_one_that_was_streamed_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target, target.open("a", "w", force_zip64=True) as entry:
        entry.write(b"text")
    assert examine(out.getvalue()).format is FileFormat.ZIP

    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, content: Buffer) -> int:
            self.content += bytes(content)
            return len(bytes(content))

    pipe = Unseekable()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a", b"text" * 1000)
        target.writestr("b", b"more")
    assert examine(pipe.content).format is FileFormat.ZIP


def test_sound_of_other_codings_is_no_wav_that_we_take() -> None:
    content = files.wav().replace(struct.pack("<H", 1) + struct.pack("<H", 1), b"\x55\0\1\0", 1)
    assert reason(content) == "file_type_refused"


def test_tags_around_the_frames_belong_to_an_mp3() -> None:
    tagged = b"ID3\x04\0\0\0\0\0\x05hello" + files.mp3() + b"TAG" + b" " * 125
    assert examine(tagged).format is FileFormat.MP3
    assert reason(files.mp3() + b"junk" + files.mp3()) == "file_trailing_data"


def test_a_film_tells_how_large_its_picture_is() -> None:
    found = examine(files.mp4())
    assert (found.width, found.height) == (64, 48)
