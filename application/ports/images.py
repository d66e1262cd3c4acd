"""What we do to images, apart from storing them. CPU-bound: never run on the event loop."""

from typing import Literal, Protocol

import msgspec

from domain.shared.errors import Invalid


class ImageRefused(Invalid):
    """The bytes are not an image that we accept: unknown, broken, too large, or a bomb."""

    code = "image_refused"


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["png", "jpeg", "webp", "gif"]
    width: int
    height: int

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    content: bytes
    content_type: str
    width: int
    height: int


class Derivatives(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of one original: `clean` has its metadata stripped and colours in sRGB."""

    clean: Rendition
    preview: Rendition
    thumbnail: Rendition


class ImageProcessor(Protocol):
    async def inspect(self, content: bytes) -> ImageFacts:
        """Read format and size from the header; decode once. Raises ImageRefused."""
        ...

    async def sanitise(self, content: bytes) -> Rendition:
        """Orientation applied, EXIF, GPS and comments gone, colours in sRGB."""
        ...

    async def derive(self, content: bytes, *, watermark: str) -> Derivatives:
        """Clean copy, watermarked preview (at most 1024 px) and watermarked thumbnail (512 px)."""
        ...

    async def archive(self, files: list[tuple[str, bytes]]) -> bytes:
        """A ZIP of the named files, for providers that train from an archive."""
        ...
