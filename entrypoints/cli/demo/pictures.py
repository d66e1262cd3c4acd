"""Pictures to upload, made with the standard library: a PNG is a few zlib-packed rows."""

import math
import random
import struct
import zlib

SIZE = 512
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


Shape = tuple[int, int, int, int, int]
"""An ellipse of one grey: its middle, its half width and height, from white 255 to black 0."""

FACE: tuple[Shape, ...] = (
    (0, -30, 92, 100, 40),  # hair
    (0, 0, 78, 105, 200),
    (-33, -38, 22, 4, 60),  # brows
    (33, -38, 22, 4, 60),
    (-33, -18, 24, 14, 140),  # eyes
    (33, -18, 24, 14, 140),
    (-33, -16, 16, 8, 235),
    (33, -16, 16, 8, 235),
    (-33, -16, 8, 8, 20),
    (33, -16, 8, 8, 20),
    (0, 10, 9, 26, 180),  # nose
    (0, 33, 18, 4, 140),
    (0, 58, 30, 10, 95),  # mouth
    (0, 58, 28, 2, 40),
)
"""In hundredths of half its height, from its middle."""


def picture(number: int) -> bytes:
    """A PNG of soft rings, different for each number."""
    return _png(SIZE, SIZE, _packed([_row(y, number) for y in range(SIZE)]))


def portrait(number: int) -> bytes:
    """The same, and before it somebody who looks at us: nobody in particular."""
    rows = [_row(y, number) for y in range(SIZE)]
    middle, unit = SIZE // 2 + 24 * (number % 3 - 1), (130 + 16 * (number % 4)) / 100
    for shape in FACE:
        _paint(rows, shape, middle=middle, unit=unit)
    return _png(SIZE, SIZE, _packed(rows))


def _paint(rows: list[bytearray], shape: Shape, *, middle: int, unit: float) -> None:
    *sizes, grey = shape
    x, y, half_width, half_height = (size * unit for size in sizes)
    for row in range(int(SIZE / 2 + y - half_height), int(SIZE / 2 + y + half_height) + 1):
        up = (row - SIZE / 2 - y) / half_height
        if 0 <= row < SIZE and abs(up) <= 1:
            reach = half_width * math.sqrt(1 - up * up)
            left, right = max(int(middle + x - reach), 0), min(int(middle + x + reach), SIZE)
            rows[row][3 * left : 3 * right] = bytes([grey]) * (3 * (right - left))


def _packed(lines: list[bytearray]) -> bytes:
    return zlib.compress(b"".join(b"\0" + line for line in lines), 1)


def photograph(number: int) -> bytes:
    """A PNG of nothing but grain, of some nine megabytes: more than one part of an upload."""
    width, height = 1800, 1700
    grain = random.Random(number)  # noqa: S311 - the same every time
    rows = b"".join(b"\0" + grain.randbytes(3 * width) for _ in range(height))
    return _png(width, height, zlib.compress(rows, 1))


def saved_anew(png: bytes) -> bytes:
    """As an ordinary editor saves it: the same pixels, and nothing of what was said beside them."""
    pixels, kept, place = b"", b"", len(_SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            pixels += content
        elif kind in (b"IHDR", b"PLTE"):
            kept += _chunk(kind, content)
        place += length + 12
    packed = zlib.compress(zlib.decompress(pixels), 1)
    return _SIGNATURE + kept + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _png(width: int, height: int, packed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _row(y: int, number: int) -> bytearray:
    row = bytearray()
    for block in range(SIZE // 8):
        x = block * 8
        distance = math.hypot(x - SIZE / 2, y - SIZE / 2)
        wave = int(127 + 127 * math.sin(distance / (9 + number) + number))
        row += bytes((wave, (x // 2 + 40 * number) % 256, (y // 2 + 90 * number) % 256)) * 8
    return row


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
