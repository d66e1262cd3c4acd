"""Which images we take, told by their first bytes and never by their name."""

from typing import Literal

ImageFormat = Literal["png", "jpeg", "webp", "gif"]

MAX_PIXELS = 50_000_000
"""More would need over 200 MB to decode; refused from the header, before decoding."""


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
