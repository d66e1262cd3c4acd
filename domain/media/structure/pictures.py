"""Images, chunk by chunk, to their very end. Their pixels are not looked at here."""

from domain.media.content import Content
from domain.media.structure.found import Found, damaged, trailing

_PNG_START = 8
_PNG_CHUNK_FRAME = 12  # length, type, checksum
_MAX_CHUNKS = 1_000_000
_LOOK_BYTES = 65536


def walk_png(content: Content) -> Found:
    """Signature, IHDR first, IEND last (PNG, section 5)."""
    if content[12:16] != b"IHDR" or int.from_bytes(content[8:12]) != 13:
        raise damaged("PNG")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    position = _PNG_START
    for _ in range(_MAX_CHUNKS):
        head = content[position : position + 8]
        end = position + _PNG_CHUNK_FRAME + int.from_bytes(head[:4])
        if len(head) < 8 or end > len(content):
            raise damaged("PNG")
        if head[4:] == b"IEND":
            if end != len(content):
                raise trailing("PNG")
            return Found(width=width, height=height)
        position = end
    raise damaged("PNG")


_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def walk_jpeg(content: Content) -> Found:
    """Segments from SOI to EOI (ITU T.81, annex B).

    Cameras put further JPEGs (depth, gain map) after the first, and zeros: that much may follow.
    """
    found, position = _one_jpeg(content, 0)
    while position < len(content):
        if content[position : position + 3] != b"\xff\xd8\xff":
            if _has_only_zeros(content, position):
                break
            raise trailing("JPEG")
        _, position = _one_jpeg(content, position)
    return found


def _has_only_zeros(content: Content, position: int) -> bool:
    steps = range(position, len(content), _LOOK_BYTES)
    return not any(content[start : start + _LOOK_BYTES].strip(b"\0") for start in steps)


def _one_jpeg(content: Content, start: int) -> tuple[Found, int]:
    """What it is, and where it ends."""
    width = height = None
    position = start + 2
    for _ in range(_MAX_CHUNKS):
        if content[position : position + 1] != b"\xff":
            raise damaged("JPEG")
        marker = content[position + 1 : position + 2]
        if not marker:
            raise damaged("JPEG")
        kind = marker[0]
        if kind == 0xFF:  # a fill byte
            position += 1
        elif kind == 0xD9:
            if width is None:
                raise damaged("JPEG")
            return Found(width=width, height=height), position + 2
        elif kind in _WITHOUT_LENGTH:
            position += 2
        else:
            length = int.from_bytes(content[position + 2 : position + 4])
            if length < 2 or position + 2 + length > len(content):
                raise damaged("JPEG")
            if kind in _FRAME_HEADERS and width is None:
                height = int.from_bytes(content[position + 5 : position + 7])
                width = int.from_bytes(content[position + 7 : position + 9])
            position += 2 + length
            if kind == 0xDA:
                position = _after_scan(content, position)
    raise damaged("JPEG")


def _after_scan(content: Content, position: int) -> int:
    """Where the next marker is; in a scan, FF is followed by 00 or a restart marker."""
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 1 >= len(content):
            raise damaged("JPEG")
        following = content[position + 1 : position + 2][0]
        if following == 0x00 or 0xD0 <= following <= 0xD7:
            position += 2
        elif following == 0xFF:
            position += 1
        else:
            return position


def walk_gif(content: Content) -> Found:
    """Blocks from the screen descriptor to the trailer (GIF89a)."""
    if len(content) < 14:
        raise damaged("GIF")
    width, height = (int.from_bytes(content[at : at + 2], "little") for at in (6, 8))
    position = 13 + _colours_bytes(content[10:11])
    for _ in range(_MAX_CHUNKS):
        match content[position : position + 1]:
            case b"\x3b":
                if position + 1 != len(content):
                    raise trailing("GIF")
                return Found(width=width, height=height)
            case b"\x21":
                position = _after_blocks(content, position + 2)
            case b"\x2c":
                colours = _colours_bytes(content[position + 9 : position + 10])
                position = _after_blocks(content, position + 10 + colours + 1)
            case _:
                raise damaged("GIF")
    raise damaged("GIF")


def _colours_bytes(flags: bytes) -> int:
    """How long the table of colours is that these flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _after_blocks(content: Content, position: int) -> int:
    """Behind the empty block that ends a row of them."""
    while size := content[position : position + 1]:
        position += 1 + size[0]
        if size[0] == 0:
            return position
    raise damaged("GIF")


def walk_webp(content: Content) -> Found:
    """One RIFF of exactly this length, whose first chunk says how large the image is."""
    chunks = riff_chunks(content, "WebP")
    if not chunks:
        raise damaged("WebP")
    kind, start, size = chunks[0]
    body = content[start : start + min(size, 16)]
    if (len(body) < 10 and kind != b"VP8L") or len(body) < 5:
        raise damaged("WebP")
    match kind:
        case b"VP8 " if body[3:6] == b"\x9d\x01\x2a":
            width = int.from_bytes(body[6:8], "little") & 0x3FFF
            height = int.from_bytes(body[8:10], "little") & 0x3FFF
        case b"VP8L" if body[0] == 0x2F:
            bits = int.from_bytes(body[1:5], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width = int.from_bytes(body[4:7], "little") + 1
            height = int.from_bytes(body[7:10], "little") + 1
        case _:
            raise damaged("WebP")
    return Found(width=width, height=height)


def riff_chunks(content: Content, kind: str) -> list[tuple[bytes, int, int]]:
    """Type, start and size of each chunk of a RIFF that ends where the file does."""
    size = int.from_bytes(content[4:8], "little")
    if 8 + size + size % 2 < len(content):
        raise trailing(kind)
    if 8 + size > len(content):
        raise damaged(kind)
    chunks: list[tuple[bytes, int, int]] = []
    position = 12
    while position < 8 + size:
        head = content[position : position + 8]
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or position + 8 + length > len(content) or len(chunks) >= _MAX_CHUNKS:
            raise damaged(kind)
        chunks.append((head[:4], position + 8, length))
        position += 8 + length + length % 2
    return chunks
