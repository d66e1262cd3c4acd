"""Pictures to upload, made with the standard library: a PNG is a few zlib-packed rows."""

import math
import random
import struct
import zlib

SIZE = 512
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(number: int) -> bytes:
    """A PNG of soft rings, different for each number."""
    rows = b"".join(b"\0" + _row(y, number) for y in range(SIZE))
    return _png(SIZE, SIZE, zlib.compress(rows, 1))


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


def _row(y: int, number: int) -> bytes:
    row = bytearray()
    for block in range(SIZE // 8):
        x = block * 8
        distance = math.hypot(x - SIZE / 2, y - SIZE / 2)
        wave = int(127 + 127 * math.sin(distance / (9 + number) + number))
        row += bytes((wave, (x // 2 + 40 * number) % 256, (y // 2 + 90 * number) % 256)) * 8
    return bytes(row)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
