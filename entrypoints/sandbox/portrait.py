"""Draws the sitter: head and shoulders in flat colours, decided by who it is and nothing else."""

import hashlib
import random

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

SKIN_TONES: tuple[Colour, ...] = (
    (255, 222, 196), (240, 194, 160), (222, 166, 126), (188, 128, 90), (146, 94, 64), (98, 62, 44),
)  # fmt: skip
HAIR_COLOURS: tuple[Colour, ...] = (
    (38, 28, 28), (74, 46, 32), (122, 76, 44), (182, 132, 74), (150, 58, 40), (96, 96, 104),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (38, 70, 110), (150, 52, 66), (44, 100, 84), (226, 172, 72), (236, 232, 224), (64, 58, 78),
)  # fmt: skip


def seeded(*parts: object) -> random.Random:
    """Chance that is the same for the same parts, on every machine."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8]))  # noqa: S311 - a drawing, not a secret


def mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def portrait_of(person: str, size: int) -> Image.Image:
    """Head and shoulders in flat colours; who it is follows from `person` alone."""
    rng = seeded("person", person)
    skin, hair, cloth = rng.choice(SKIN_TONES), rng.choice(HAIR_COLOURS), rng.choice(CLOTHES)
    shadow = mix(skin, (60, 30, 40), 0.22)
    s = size * 2  # drawn twice as large, then reduced, for smooth edges
    canvas = Image.new("RGBA", (s, s))
    draw = ImageDraw.Draw(canvas)
    head_w, head_h = s * rng.uniform(0.15, 0.175), s * rng.uniform(0.2, 0.225)
    cx, cy = s / 2, s * 0.4
    if rng.random() < 0.5:  # long hair falls behind the shoulders
        length = rng.uniform(0.6, 0.78)
        draw.rounded_rectangle(
            (cx - head_w * 1.3, cy - head_h * 0.9, cx + head_w * 1.3, s * length), s * 0.14, hair
        )
    draw.rounded_rectangle((s * 0.14, s * 0.7, s * 0.86, s * 1.3), s * 0.2, cloth)
    draw.rounded_rectangle((cx - s * 0.065, cy, cx + s * 0.065, s * 0.76), s * 0.06, shadow)
    draw.pieslice((cx - s * 0.12, s * 0.6, cx + s * 0.12, s * 0.82), 10, 170, skin)
    draw.ellipse(
        (cx - head_w * 1.16, cy - head_h * 1.22, cx + head_w * 1.16, cy + head_h * 0.4), hair
    )
    draw.ellipse((cx - head_w, cy - head_h, cx + head_w, cy + head_h), skin)
    fringe = rng.uniform(0.5, 0.8)
    tilt = rng.choice((-0.3, 0.0, 0.3))
    left, right = cx - head_w * (1.1 + tilt), cx + head_w * (1.1 - tilt)
    low = cy + head_h * (fringe - 0.7)
    draw.pieslice((left, cy - head_h * 1.2, right, low), 180, 360, hair)
    _features(draw, rng, (cx, cy), (head_w, head_h), mix(hair, (20, 14, 20), 0.85), shadow)
    return canvas.resize((size, size), Image.Resampling.LANCZOS)


def _features(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    centre: tuple[float, float],
    head: tuple[float, float],
    ink: Colour,
    shadow: Colour,
) -> None:
    (cx, cy), (w, h) = centre, head
    pen = max(2, int(w * 0.05))
    for side in (-1, 1):
        x, y = cx + side * w * 0.42, cy + h * 0.02
        draw.ellipse((x - w * 0.085, y - h * 0.06, x + w * 0.085, y + h * 0.06), ink)
        draw.arc((x - w * 0.22, y - h * 0.26, x + w * 0.22, y + h * 0.1), 205, 335, ink, pen)
    draw.arc((cx - w * 0.14, cy + h * 0.02, cx + w * 0.14, cy + h * 0.36), 40, 140, shadow, pen)
    draw.chord((cx - w * 0.3, cy + h * 0.32, cx + w * 0.3, cy + h * 0.66), 20, 160, (178, 74, 84))
    if rng.random() < 0.35:  # glasses
        for side in (-1, 1):
            x, y = cx + side * w * 0.42, cy + h * 0.03
            draw.ellipse((x - w * 0.3, y - h * 0.2, x + w * 0.3, y + h * 0.2), None, ink, pen)
        draw.line((cx - w * 0.12, cy, cx + w * 0.12, cy), ink, pen)
