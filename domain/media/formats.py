"""Which files we take, told by how they are built and never by their name.

A file is what it claims to be from its first byte to its last: what follows the end of an image,
or makes the same bytes a valid file of another kind, is how things are smuggled past those who
look at one reading only. Such files are refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from domain.media.asset import Media
from domain.media.content import Content
from domain.media.structure import film, pictures, sound, texts, zips
from domain.media.structure.found import FileRefused, Found

ImageFormat = Literal["png", "jpeg", "webp", "gif"]

MAX_PIXELS = 50_000_000
"""More would need over 200 MB to decode; refused from the header, before decoding."""

_PDF_HEAD_BYTES = 1024


class FileFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"
    PDF = "pdf"
    MP4 = "mp4"
    MP3 = "mp3"
    WAV = "wav"
    ZIP = "zip"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]

    @property
    def media(self) -> Media:
        return _MEDIA[self]


_CONTENT_TYPES = {
    FileFormat.PNG: "image/png",
    FileFormat.JPEG: "image/jpeg",
    FileFormat.GIF: "image/gif",
    FileFormat.WEBP: "image/webp",
    FileFormat.PDF: "application/pdf",
    FileFormat.MP4: "video/mp4",
    FileFormat.MP3: "audio/mpeg",
    FileFormat.WAV: "audio/wav",
    FileFormat.ZIP: "application/zip",
}
_MEDIA = {
    FileFormat.PDF: Media.DOCUMENT,
    FileFormat.MP4: Media.VIDEO,
    FileFormat.MP3: Media.AUDIO,
    FileFormat.WAV: Media.AUDIO,
    FileFormat.ZIP: Media.ARCHIVE,
} | dict.fromkeys((FileFormat.PNG, FileFormat.JPEG, FileFormat.GIF, FileFormat.WEBP), Media.IMAGE)

_WALKS: dict[FileFormat, Callable[[Content], Found]] = {
    FileFormat.PNG: pictures.walk_png,
    FileFormat.JPEG: pictures.walk_jpeg,
    FileFormat.GIF: pictures.walk_gif,
    FileFormat.WEBP: pictures.walk_webp,
    FileFormat.PDF: texts.walk_pdf,
    FileFormat.MP4: film.walk_mp4,
    FileFormat.MP3: sound.walk_mp3,
    FileFormat.WAV: sound.walk_wav,
    FileFormat.ZIP: zips.walk_zip,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    format: FileFormat
    width: int | None
    height: int | None
    duration_ms: int | None


def examine(content: Content) -> Examined:
    """What the file is, after every byte of it has been accounted for. Takes as long as reading
    it does. Raises FileRefused."""
    kind = sniff(content)
    if kind is None:
        raise FileRefused(
            "file_type_refused", "This is no PNG, JPEG, GIF, WebP, PDF, MP4, MP3, WAV or ZIP file."
        )
    found = _WALKS[kind](content)
    if found.width is not None and found.height is not None and kind.media is Media.IMAGE:
        if not found.width or not found.height:
            raise FileRefused("file_damaged", "The image has no pixels.")
        if found.width * found.height > MAX_PIXELS:
            raise FileRefused(
                "image_too_large",
                f"The image has {found.width} × {found.height} pixels; at most "
                f"{MAX_PIXELS // 1_000_000} megapixels are accepted.",
            )
    _require_one_reading(content, kind)
    return Examined(
        format=kind, width=found.width, height=found.height, duration_ms=found.duration_ms
    )


def sniff(content: Content) -> FileFormat | None:
    """The format that the first bytes promise, or None for what is not accepted."""
    start = content[:16]
    if (image := sniff_image(start)) is not None:
        return FileFormat(image)
    if start.startswith(b"%PDF-"):
        return FileFormat.PDF
    if start.startswith(b"PK\x03\x04"):
        return FileFormat.ZIP
    if start[4:8] == b"ftyp":
        return FileFormat.MP4
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        return FileFormat.WAV
    if start.startswith(b"ID3") or sound.is_frame(start[:4]):
        return FileFormat.MP3
    return None


def sniff_image(content: bytes) -> ImageFormat | None:
    """The format that the magic bytes tell, or None for what is not an accepted image."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return None


def _require_one_reading(content: Content, kind: FileFormat) -> None:
    """ZIP is read from its end, and PDF readers look for its mark in the first KiB."""
    if kind is not FileFormat.ZIP and zips.ends_as_zip(content):
        raise FileRefused("file_polyglot", f"The {kind} file is a ZIP archive as well.")
    if kind not in {FileFormat.ZIP, FileFormat.PDF} and (b"%PDF-" in content[:_PDF_HEAD_BYTES]):
        raise FileRefused("file_polyglot", f"The {kind} file is a PDF as well.")
