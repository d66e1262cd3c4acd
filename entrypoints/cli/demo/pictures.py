"""Pictures to upload, made with the standard library: a PNG is a few zlib-packed rows."""

import math
import struct
import zlib

SIZE = 512


def picture(number: int) -> bytes:
    """A PNG of soft rings, different for each number."""
    rows = b"".join(b"\0" + _row(y, number) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, 1))
        + _chunk(b"IEND", b"")
    )


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
