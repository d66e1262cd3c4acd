"""Images for tests, made on the spot."""

import io
import struct
from typing import Any

from PIL import Image, ImageDraw

from domain.media.looks import GreyImage
from entrypoints.cli.demo.pictures import FACE


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), *, mode: str = "RGB", **options: Any
) -> bytes:
    """A gradient, so that rotations and colour changes show."""
    ramp = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (ramp, ramp.rotate(180), ramp)).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def drawn_faces(*middles: int, size: tuple[int, int] = (640, 480), unit: float = 1.2) -> bytes:
    """A grey wall, and before it faces of nobody, drawn around these columns."""
    image = Image.new("L", size, 120)
    draw = ImageDraw.Draw(image)
    for middle in middles:
        for x, y, half_width, half_height, grey in FACE:
            left, top = middle + (x - half_width) * unit, size[1] / 2 + (y - half_height) * unit
            right, bottom = left + 2 * half_width * unit, top + 2 * half_height * unit
            draw.ellipse((left, top, right, bottom), fill=grey)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def grey(content: bytes) -> GreyImage:
    image = opened(content).convert("L")
    return GreyImage(image.width, image.height, image.tobytes())


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _mesh() -> bytes:
    scene = b'{"asset":{"version":"2.0"}}'.ljust(28)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(scene), len(scene), b"JSON") + scene


MESH = _mesh()
"""The smallest binary glTF: a scene with nothing in it."""
