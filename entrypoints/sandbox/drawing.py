"""Draws the pictures that the playground's image models return.

A picture depends on nothing but its arguments: the same prompt, seed and person give the same
bytes, another prompt or seed gives another scene, and another person (the trained weights) gives
another sitter. Drawing is CPU work: call it in a thread, never on the event loop.
"""

import io
import math
import random
import textwrap
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from entrypoints.sandbox.portrait import Colour, mix, portrait_of, seeded

Painter = Callable[[Image.Image, random.Random, "tuple[Colour, ...]"], None]

# Sky above, sky below, light, and three depths of ground, far to near.
PALETTES: tuple[tuple[Colour, ...], ...] = (
    (
        (252, 214, 178),
        (236, 120, 111),
        (255, 244, 214),
        (176, 84, 120),
        (104, 56, 104),
        (52, 36, 72),
    ),
    (
        (190, 224, 242),
        (246, 236, 214),
        (255, 252, 238),
        (132, 176, 178),
        (74, 124, 132),
        (34, 72, 84),
    ),
    ((34, 38, 84), (126, 72, 134), (252, 206, 160), (82, 56, 118), (46, 38, 88), (22, 20, 52)),
    (
        (206, 232, 206),
        (250, 240, 200),
        (255, 250, 224),
        (128, 168, 112),
        (72, 122, 84),
        (32, 72, 58),
    ),
    (
        (248, 226, 230),
        (244, 178, 172),
        (255, 248, 240),
        (206, 122, 128),
        (142, 76, 98),
        (82, 44, 68),
    ),
    ((20, 54, 84), (44, 132, 140), (226, 250, 230), (28, 100, 118), (20, 72, 96), (12, 42, 66)),
    (
        (250, 236, 206),
        (242, 188, 104),
        (255, 252, 236),
        (204, 136, 74),
        (146, 90, 58),
        (84, 54, 44),
    ),
    (
        (214, 214, 240),
        (178, 172, 222),
        (250, 246, 255),
        (132, 124, 184),
        (90, 84, 142),
        (48, 46, 90),
    ),
)
NIGHT_PALETTES = (2, 5)
LONGEST_CAPTION = 120


def draw_from_text(*, prompt: str, seed: int, person: str, width: int, height: int) -> Image.Image:
    """A scene that suits the prompt, the person's portrait in front of it, and a caption."""
    rng = seeded("text", prompt, seed)
    image = _scene(prompt, rng, width, height)
    _place_portrait(image, person, rng, centre_x=rng.uniform(0.36, 0.64))
    _caption(image, prompt, f"seed {seed}")
    return image


def draw_into_photo(scene: bytes, *, prompt: str, seed: int, person: str) -> Image.Image:
    """The given photo, toned by prompt and seed, with the person placed in it and a caption.

    Raises ValueError when `scene` is not an image that can be read.
    """
    rng = seeded("photo", prompt, seed)
    try:
        with Image.open(io.BytesIO(scene)) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("the scene is not an image that can be read") from error
    photo = ImageOps.fit(photo, _inference_size(*photo.size), Image.Resampling.LANCZOS)
    palette = PALETTES[rng.randrange(len(PALETTES))]
    tint = Image.new("RGB", photo.size, palette[2])
    image = Image.blend(photo, ImageChops.soft_light(photo, tint), 0.45)
    _place_portrait(image, person, rng, centre_x=rng.choice((0.28, 0.72)))
    _caption(image, prompt, f"seed {seed}")
    return image


def refused(width: int, height: int) -> Image.Image:
    """What an image model returns when its safety checker blanks the picture: black."""
    return Image.new("RGB", (width, height))


def enlarged(picture: bytes, *, scale: float, most: int, kind: str) -> tuple[bytes, int, int]:
    """The picture, `scale` times as large, no side longer than `most`, and its size.

    Raises ValueError when it is not an image that can be read.
    """
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("not an image that can be read") from error
    fitting = min(scale, most / max(image.size))
    size = (round(image.width * fitting), round(image.height * fitting))
    return encode(image.resize(size, Image.Resampling.LANCZOS), kind), *size


def encode(image: Image.Image, image_format: str) -> bytes:
    """`image_format` is png, jpeg (or jpg) or webp."""
    buffer = io.BytesIO()
    if image_format == "png":
        image.save(buffer, "PNG", compress_level=1)
    elif image_format == "webp":
        image.save(buffer, "WEBP", quality=88, method=2)
    else:
        image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _inference_size(width: int, height: int) -> tuple[int, int]:
    """About one megapixel at the photo's own proportions, in multiples of 16."""
    scale = math.sqrt(1_048_576 / (width * height))
    return (
        min(1440, max(256, round(width * scale / 16) * 16)),
        min(1440, max(256, round(height * scale / 16) * 16)),
    )


def _scene(prompt: str, rng: random.Random, width: int, height: int) -> Image.Image:
    words = prompt.casefold()
    night = any(word in words for word in ("night", "neon", "moon", "midnight", "star"))
    index = rng.choice(NIGHT_PALETTES) if night else rng.randrange(len(PALETTES))
    palette = tuple(_shift(colour, rng) for colour in PALETTES[index])
    image = _gradient(width, height, palette[0], palette[1])
    _light(image, rng, palette[2])
    _painter(words, rng)(image, rng, palette)
    return _grain(image, rng)


def _painter(words: str, rng: random.Random) -> Painter:
    hints: tuple[tuple[Painter, tuple[str, ...]], ...] = (
        (_skyline, ("city", "street", "urban", "tokyo", "paris", "roof", "neon", "office")),
        (_waves, ("sea", "beach", "ocean", "lake", "water", "boat", "coast", "summer")),
        (_hills, ("mountain", "hill", "forest", "hike", "snow", "field", "desert", "garden")),
        (_bokeh, ("party", "studio", "portrait", "stage", "fashion", "café", "cafe", "light")),
    )
    for painter, names in hints:
        if any(name in words for name in names):
            return painter
    return rng.choice([painter for painter, _ in hints])


def _shift(colour: Colour, rng: random.Random) -> Colour:
    red, green, blue = (max(0, min(255, channel + rng.randint(-14, 14))) for channel in colour)
    return red, green, blue


def _gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
    return Image.composite(
        Image.new("RGB", (width, height), bottom), Image.new("RGB", (width, height), top), ramp
    )


def _light(image: Image.Image, rng: random.Random, colour: Colour) -> None:
    """A sun or a moon with its glow, somewhere in the upper half."""
    width, height = image.size
    x, y = int(rng.uniform(0.15, 0.85) * width), int(rng.uniform(0.14, 0.42) * height)
    glow = int(min(width, height) * rng.uniform(0.7, 1.1))
    halo = ImageOps.invert(Image.radial_gradient("L")).resize((glow, glow)).point(_soften)
    image.paste(colour, (x - glow // 2, y - glow // 2), halo)
    disc = int(min(width, height) * rng.uniform(0.05, 0.11))
    mask = _smooth_mask((disc * 2, disc * 2), lambda draw, size: draw.ellipse((0, 0, *size), 255))
    image.paste(colour, (x - disc, y - disc), mask)


def _soften(value: float) -> float:
    """Fades to nothing at the edge of the square, where the gradient itself does not."""
    return max(0.0, (value - 76) / 179) ** 2 * 170


def _ridge(rng: random.Random, width: int, base: float, swing: float) -> list[tuple[float, float]]:
    """A line from left to right that rises and falls like a few waves laid over each other."""
    waves = [
        (rng.uniform(0.6, 1.4) * swing / n, n * rng.uniform(0.7, 1.6), rng.uniform(0, math.tau))
        for n in (1, 2, 4)
    ]
    step = max(4, width // 160)
    return [
        (x, base + sum(a * math.sin(f * math.tau * x / width + p) for a, f, p in waves))
        for x in range(0, width + step, step)
    ]


def _hills(image: Image.Image, rng: random.Random, palette: tuple[Colour, ...]) -> None:
    width, height = image.size
    for depth, colour in enumerate(palette[3:6]):
        line = _ridge(rng, width, height * (0.55 + 0.15 * depth), height * 0.05)
        _fill(image, [*line, (width, height), (0, height)], colour)


def _waves(image: Image.Image, rng: random.Random, palette: tuple[Colour, ...]) -> None:
    width, height = image.size
    for step in range(7):
        near = step / 6
        colour = mix(mix(palette[3], palette[2], 0.35), palette[5], near)
        line = _ridge(rng, width, height * (0.56 + 0.07 * step), height * (0.004 + 0.012 * near))
        _fill(image, [*line, (width, height), (0, height)], colour)


def _skyline(image: Image.Image, rng: random.Random, palette: tuple[Colour, ...]) -> None:
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for depth, colour in enumerate(palette[3:6]):
        x = -rng.randint(0, width // 12)
        while x < width:
            broad = rng.randint(width // 16, width // 8)
            top = int(height * rng.uniform(0.3 + 0.14 * depth, 0.52 + 0.14 * depth))
            draw.rectangle((x, top, x + broad, height), fill=colour)
            if depth:
                _windows(draw, rng, (x, top, x + broad, height), mix(colour, palette[2], 0.7))
            x += broad + rng.randint(0, width // 60)


def _windows(
    draw: ImageDraw.ImageDraw, rng: random.Random, box: tuple[int, int, int, int], lit: Colour
) -> None:
    left, top, right, bottom = box
    for y in range(top + 14, bottom, 26):
        for x in range(left + 10, right - 14, 20):
            if rng.random() < 0.4:
                draw.rectangle((x, y, x + 7, y + 11), fill=lit)


def _bokeh(image: Image.Image, rng: random.Random, palette: tuple[Colour, ...]) -> None:
    width, height = image.size
    layer = image.copy()
    draw = ImageDraw.Draw(layer)
    for _ in range(46):
        radius = rng.uniform(0.02, 0.11) * width
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        colour = mix(rng.choice(palette[2:5]), palette[2], rng.uniform(0.1, 0.6))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    layer = layer.filter(ImageFilter.GaussianBlur(width / 90))
    image.paste(Image.blend(image, layer, 0.55))


def _grain(image: Image.Image, rng: random.Random) -> Image.Image:
    """A little film grain, so that flat areas do not band."""
    width, height = image.size
    tile = Image.frombytes("L", (128, 128), rng.randbytes(128 * 128)).point(_faint)
    grain = Image.new("L", image.size)
    for x in range(0, width, 128):
        for y in range(0, height, 128):
            grain.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", (grain,) * 3), 1, -4)


def _faint(value: float) -> float:
    return value / 32


def _place_portrait(image: Image.Image, person: str, rng: random.Random, centre_x: float) -> None:
    width, height = image.size
    size = int(min(width, height) * rng.uniform(0.66, 0.8))
    portrait = portrait_of(person, size)
    left = int(width * centre_x - size / 2)
    shade = Image.new("RGBA", portrait.size, (20, 14, 30, 0))
    shade.putalpha(portrait.getchannel("A").point(lambda alpha: alpha * 0.35))
    shade = shade.filter(ImageFilter.GaussianBlur(size / 40))
    image.paste(shade, (left + size // 60, height - size + size // 80), shade)
    image.paste(portrait, (left, height - size), portrait)


def _caption(image: Image.Image, prompt: str, detail: str) -> None:
    width, height = image.size
    text = " ".join(prompt.split())
    if len(text) > LONGEST_CAPTION:
        text = text[: LONGEST_CAPTION - 1].rstrip() + "…"
    font, small = ImageFont.load_default(width / 40), ImageFont.load_default(width / 62)
    lines = textwrap.wrap(text, 62) or [""]
    line_height = width / 32
    inset = width // 40
    top = int(height - inset * 2 - line_height * (len(lines) + 0.8))
    veil = Image.new("RGBA", image.size)
    ImageDraw.Draw(veil).rounded_rectangle(
        (inset, top, width - inset, height - inset), inset, (16, 14, 28, 170)
    )
    image.paste(veil, (0, 0), veil)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((inset * 2, top + inset * 0.6 + row * line_height), line, (255, 250, 242), font)
    foot = top + inset * 0.7 + len(lines) * line_height
    draw.text((inset * 2, foot), detail, (206, 200, 214), small)


def _fill(image: Image.Image, outline: list[tuple[float, float]], colour: Colour) -> None:
    def paint(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        ratio = size[0] / image.width
        draw.polygon([(x * ratio, y * ratio) for x, y in outline], 255)

    image.paste(colour, (0, 0), _smooth_mask(image.size, paint))


def _smooth_mask(
    size: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw, tuple[int, int]], None]
) -> Image.Image:
    """A mask whose edges are smooth: painted twice as large, then reduced."""
    double = (size[0] * 2, size[1] * 2)
    mask = Image.new("L", double)
    paint(ImageDraw.Draw(mask), (double[0] - 1, double[1] - 1))
    return mask.resize(size, Image.Resampling.BOX)
