"""Images for tests, made on the spot."""

import io
import struct
from typing import Any

from PIL import Image


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), *, mode: str = "RGB", **options: Any
) -> bytes:
    """A gradient, so that rotations and colour changes show."""
    ramp = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (ramp, ramp.rotate(180), ramp)).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _mesh() -> bytes:
    scene = b'{"asset":{"version":"2.0"}}'.ljust(28)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(scene), len(scene), b"JSON") + scene


MESH = _mesh()
"""The smallest binary glTF: a scene with nothing in it."""
