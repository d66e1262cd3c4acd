"""What we do to images, apart from storing them. CPU-bound: never run on the event loop."""

from typing import Protocol

import msgspec

from domain.media.formats import ImageFormat
from domain.media.looks import GreyImage
from domain.media.provenance import SourceType
from domain.shared.errors import Invalid, UnsupportedType


class ImageRefused(Invalid):
    """The bytes claim to be an image that we accept, but are broken, too large, or a bomb."""

    code = "image_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class ImageTypeRefused(UnsupportedType):
    """The bytes are no PNG, JPEG, WebP or GIF."""

    code = "image_type_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`width` and `height` are as a viewer shows the image: after its orientation is applied."""

    format: ImageFormat
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
    """Raises ImageTypeRefused, ImageRefused, and Unavailable when too much work is waiting.

    Of an animation only the first frame is kept.
    """

    async def inspect(self, content: bytes) -> ImageFacts:
        """Read format and size from the header; decode once."""
        ...

    async def sanitise(self, content: bytes) -> Rendition:
        """Orientation applied, EXIF, GPS, XMP and comments gone, colours in sRGB. The format
        stays, except that a GIF becomes a PNG."""
        ...

    async def grey(self, content: bytes, *, longest_px: int) -> GreyImage:
        """Upright and in grey, no side longer than that; what is smaller stays so."""
        ...

    async def derive(
        self, content: bytes, *, watermark: str | None, source: SourceType | None = None
    ) -> Derivatives:
        """Clean copy, preview (at most 1024 px) and thumbnail (at most 512 px), both JPEG; the
        text `watermark` is tiled visibly over both. `source` is written into the XMP of all."""
        ...

    async def archive(self, files: list[tuple[str, bytes]]) -> bytes:
        """A ZIP of the named files, for providers that train from an archive."""
        ...
