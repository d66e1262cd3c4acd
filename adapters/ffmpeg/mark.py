"""The visible mark on a preview: one transparent picture, as large as the video, laid over it."""

import io

from PIL import Image, ImageDraw, ImageFont

_ANGLE_DEGREES = 30
_OPACITY = 110
_MARKS_ACROSS = 3


def draw_mark(text: str, width: int, height: int) -> bytes:
    """A PNG. White letters with a dark edge, to show on any ground."""
    tile_width = max(width, height) // _MARKS_ACROSS
    font = ImageFont.load_default(size=max(tile_width // 8, 10))
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text, stroke_width=1))
    margin = max(tile_width // 12, 4)
    tile = Image.new("RGBA", (right - left + 2 * margin, bottom - top + 2 * margin))
    ImageDraw.Draw(tile).text(
        (margin - left, margin - top),
        text,
        font=font,
        fill=(255, 255, 255, _OPACITY),
        stroke_width=1,
        stroke_fill=(0, 0, 0, _OPACITY),
    )
    tile = tile.rotate(_ANGLE_DEGREES, expand=True, resample=Image.Resampling.BICUBIC)
    mark = Image.new("RGBA", (width, height))
    for row, y in enumerate(range(0, height, tile.height)):
        for x in range(-(tile.width // 2) * (row % 2), width, tile.width):
            mark.paste(tile, (x, y))
    out = io.BytesIO()
    mark.save(out, "PNG")
    return out.getvalue()
