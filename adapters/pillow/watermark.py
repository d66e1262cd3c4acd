"""The visible mark on what has not been paid for: slanted text, tiled over the whole picture."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

_ANGLE_DEGREES = 30
_OPACITY = 96
_SHADE_OPACITY = 72
_MARKS_ACROSS = 3


def stamp(image: Image.Image, text: str) -> Image.Image:
    """A copy of an RGB image, marked. White letters with a dark edge, to show on any ground."""
    tile = _tile(text, max(image.size) // _MARKS_ACROSS)
    marked = image.copy()
    for row, top in enumerate(range(0, image.height, tile.height)):
        start = -(tile.width // 2) * (row % 2)
        for left in range(start, image.width, tile.width):
            marked.paste(tile, (left, top), tile)
    return marked


@lru_cache(maxsize=16)
def _tile(text: str, width_px: int) -> Image.Image:
    font = ImageFont.load_default(size=max(width_px // 8, 10))
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text, stroke_width=1))
    margin = max(width_px // 12, 4)
    size = (right - left + 2 * margin, bottom - top + 2 * margin)
    line = Image.new("RGBA", size, (255, 255, 255, 0))
    ImageDraw.Draw(line).text(
        (margin - left, margin - top),
        text,
        font=font,
        fill=(255, 255, 255, _OPACITY),
        stroke_width=1,
        stroke_fill=(0, 0, 0, _SHADE_OPACITY),
    )
    return line.rotate(_ANGLE_DEGREES, expand=True, resample=Image.Resampling.BICUBIC)
