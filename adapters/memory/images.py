"""Images without an image library: headers are read, and what is made of them are plain areas."""

import io
import struct
import zipfile
import zlib

from application.ports.images import (
    Derivatives,
    ImageFacts,
    ImageRefused,
    ImageTypeRefused,
    Rendition,
)
from domain.media.formats import MAX_PIXELS, ImageFormat, sniff_image
from domain.media.looks import GreyImage
from domain.media.provenance import SourceType, xmp_packet

PREVIEW_PX = 1024
THUMBNAIL_PX = 512


class MemoryImages:
    """See `application.ports.images.ImageProcessor`. It believes the header of an image."""

    async def inspect(self, content: bytes) -> ImageFacts:
        return _facts(content)

    async def sanitise(self, content: bytes) -> Rendition:
        facts = _facts(content)
        return _plain(facts.width, facts.height, facts.content_type)

    async def grey(self, content: bytes, *, longest_px: int) -> GreyImage:
        width, height = _within(_facts(content), longest_px)
        return GreyImage(width, height, b"\x80" * (width * height))

    async def derive(
        self, content: bytes, *, watermark: str | None, source: SourceType | None = None
    ) -> Derivatives:
        facts = _facts(content)
        said = "" if source is None else xmp_packet(source)
        return Derivatives(
            clean=_plain(facts.width, facts.height, facts.content_type, said),
            preview=_plain(*_within(facts, PREVIEW_PX), "image/jpeg", said),
            thumbnail=_plain(*_within(facts, THUMBNAIL_PX), "image/jpeg", said),
        )

    async def archive(self, files: list[tuple[str, bytes]]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for name, content in files:
                target.writestr(name, content)
        return out.getvalue()


def blank_png(width: int, height: int, *, xmp: str = "") -> bytes:
    """A real PNG of one grey, of any size, a few bytes small."""
    rows = (b"\x00" + b"\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    said = b"XML:com.adobe.xmp" + b"\x00" * 5 + xmp.encode()
    chunks = (
        (b"IHDR", header),
        *([(b"iTXt", said)] if xmp else []),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _facts(content: bytes) -> ImageFacts:
    kind = sniff_image(content)
    if kind is None:
        raise ImageTypeRefused("This is not a PNG, JPEG, WebP or GIF image.")
    try:
        width, height = _size(kind, content)
    except (struct.error, IndexError) as error:
        raise ImageRefused("The image is damaged or incomplete: export it again.") from error
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageRefused(f"At most {MAX_PIXELS // 1_000_000} megapixels are accepted.")
    return ImageFacts(format=kind, width=width, height=height)


def _size(kind: ImageFormat, content: bytes) -> tuple[int, int]:
    match kind:
        case "png":
            width, height = struct.unpack_from(">II", content, 16)
        case "gif":
            width, height = struct.unpack_from("<HH", content, 6)
        case "webp" if content[12:16] == b"VP8X":
            width = 1 + int.from_bytes(content[24:27], "little")
            height = 1 + int.from_bytes(content[27:30], "little")
        case "webp" if content[12:16] == b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case "webp":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
        case "jpeg":
            position = 2
            while not (0xC0 <= content[position + 1] <= 0xC3):
                position += 2 + int(struct.unpack_from(">H", content, position + 2)[0])
            height, width = struct.unpack_from(">HH", content, position + 5)
    return width, height


def _within(facts: ImageFacts, longest_px: int) -> tuple[int, int]:
    scale = min(1.0, longest_px / max(facts.width, facts.height))
    return max(round(facts.width * scale), 1), max(round(facts.height * scale), 1)


def _plain(width: int, height: int, content_type: str, xmp: str = "") -> Rendition:
    kind = "image/png" if content_type == "image/gif" else content_type
    return Rendition(
        content=blank_png(width, height, xmp=xmp), content_type=kind, width=width, height=height
    )
