"""What was seen of an image when it came: enough to judge a set of them, and not who it shows."""

from dataclasses import dataclass
from itertools import pairwise

_COLUMNS, _ROWS = 9, 8


@dataclass(frozen=True, slots=True)
class GreyImage:
    """An image in grey, small: a byte for each pixel, row by row."""

    width: int
    height: int
    pixels: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """`faces` look more or less at the camera. `fingerprint` is 16 hexadecimal digits, of which
    images that look alike have most bits in common."""

    faces: int
    fingerprint: str


def fingerprint(image: GreyImage) -> str:
    """64 bits: whether it grows darker from each of 9 columns to the next, in each of 8 rows."""
    bits = 0
    for row in range(_ROWS):
        cells = [_mean(image, column, row) for column in range(_COLUMNS)]
        for left, right in pairwise(cells):
            bits = bits << 1 | (left > right)
    return f"{bits:016x}"


def bits_apart(one: str, other: str) -> int:
    """In how many of 64 bits two fingerprints differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _mean(image: GreyImage, column: int, row: int) -> float:
    left, right = _span(column, _COLUMNS, image.width)
    top, bottom = _span(row, _ROWS, image.height)
    lines = (
        image.pixels[y * image.width + left : y * image.width + right] for y in range(top, bottom)
    )
    return sum(map(sum, lines)) / ((right - left) * (bottom - top))


def _span(number: int, parts: int, length: int) -> tuple[int, int]:
    begin = number * length // parts
    return begin, max((number + 1) * length // parts, begin + 1)
