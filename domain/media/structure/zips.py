"""ZIP archives: what they hold, what it becomes when it is unpacked, and where it would go.

Every entry is inflated here and thrown away, in bounded memory: sizes and checksums that an
archive states about itself are only believed once they have been seen.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from domain.media.content import Content
from domain.media.structure.found import FileRefused, Found, damaged, trailing

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 4 * 1024**3
MAX_RATIO = 200
"""Text shrinks to a tenth, deflate cannot do better than a thousandth. Below 1 MB nobody cares."""

_SMALL_BYTES = 1024 * 1024
_END = b"PK\x05\x06"
_END_BYTES = 22
_MAX_COMMENT_BYTES = 65535
_CHUNK_BYTES = 256 * 1024
_DESCRIPTOR_BYTES = 24
_ARCHIVES = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ\0",
    b"BZh",
)
_SYMLINK = 0xA


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: bytes
    method: int
    checksum: int
    packed_bytes: int
    unpacked_bytes: int
    start: int


def walk_zip(content: Content) -> Found:
    """Raises FileRefused for bombs, names that lead out, links, locks and archives in archives."""
    directory, count, directory_end = _directory(content)
    if count > MAX_ENTRIES:
        raise _refused(f"The archive has {count} files; at most {MAX_ENTRIES} are accepted.")
    entries = list(_entries(content, directory, directory_end, count))
    if sum(entry.unpacked_bytes for entry in entries) > MAX_UNPACKED_BYTES:
        raise _refused("The archive unpacks to more than 4 GB.")
    for entry in entries:
        if _is_bomb(entry.packed_bytes, entry.unpacked_bytes):
            raise _refused("A file in the archive unpacks to far more than it is worth.")
    _require_apart(content, entries, directory)
    for entry in entries:
        _unpack(content, entry)
    return Found()


def ends_as_zip(content: Content) -> bool:
    """Whether a reader that looks for the end record of an archive finds one to its liking."""
    at = _end_record(content)
    if at is None:
        return False
    size = int.from_bytes(content[at + 12 : at + 16], "little")
    return size == 0xFFFFFFFF or content[max(at - size, 0) : at][:4] in {b"PK\x01\x02", b""}


def _end_record(content: Content) -> int | None:
    """Where the last end record is whose comment does not go beyond the file."""
    before = len(content)
    earliest = max(len(content) - _END_BYTES - _MAX_COMMENT_BYTES, 0)
    while (at := content.rfind(_END, earliest, before)) >= 0:
        comment_bytes = int.from_bytes(content[at + 20 : at + 22], "little")
        if at + _END_BYTES + comment_bytes <= len(content):
            return at
        before = at + len(_END) - 1
    return None


def _directory(content: Content) -> tuple[int, int, int]:
    """Where the central directory starts, how many entries it has, and where it ends."""
    at = _end_record(content)
    if at is None:
        raise damaged("ZIP")
    record = content[at : at + _END_BYTES]
    if at + _END_BYTES + int.from_bytes(record[20:22], "little") != len(content):
        raise trailing("ZIP")
    count = int.from_bytes(record[10:12], "little")
    size, start = (int.from_bytes(record[i : i + 4], "little") for i in (12, 16))
    end = at
    if count == 0xFFFF or 0xFFFFFFFF in {size, start}:
        count, size, start, end = _directory_64(content, at)
    if start + size != end or count == 0:
        raise damaged("ZIP")
    return start, count, end


def _directory_64(content: Content, end_record: int) -> tuple[int, int, int, int]:
    locator = content[end_record - 20 : end_record]
    at = int.from_bytes(locator[8:16], "little")
    record = content[at : at + 56]
    if locator[:4] != b"PK\x06\x07" or record[:4] != b"PK\x06\x06" or len(record) < 56:
        raise damaged("ZIP")
    if at + 12 + int.from_bytes(record[4:12], "little") != end_record - 20:
        raise damaged("ZIP")
    count, size, start = (int.from_bytes(record[i : i + 8], "little") for i in (32, 40, 48))
    return count, size, start, at


def _entries(content: Content, position: int, end: int, count: int) -> Iterator[_Entry]:
    for _ in range(count):
        head = content[position : position + 46]
        if head[:4] != b"PK\x01\x02" or len(head) < 46:
            raise damaged("ZIP")
        short = [int.from_bytes(head[i : i + 2], "little") for i in (28, 30, 32)]
        after = position + 46 + sum(short)
        if after > end:
            raise damaged("ZIP")
        name = content[position + 46 : position + 46 + short[0]]
        extra = content[position + 46 + short[0] : position + 46 + short[0] + short[1]]
        _require_harmless(name, head)
        sizes = [int.from_bytes(head[i : i + 4], "little") for i in (24, 20, 42)]
        unpacked_bytes, packed_bytes, start = _wide(sizes, extra)
        yield _Entry(
            name=name,
            method=int.from_bytes(head[10:12], "little"),
            checksum=int.from_bytes(head[16:20], "little"),
            packed_bytes=packed_bytes,
            unpacked_bytes=unpacked_bytes,
            start=start,
        )
        position = after
    if position != end:
        raise damaged("ZIP")


def _wide(sizes: list[int], extra: bytes) -> list[int]:
    """What did not fit into 32 bits stands, in the same order, in the field of ZIP64."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = (
            int.from_bytes(extra[position + i : position + i + 2], "little") for i in (0, 2)
        )
        if kind == 1:
            at = position + 4
            wide = []
            for size in sizes:
                if size == 0xFFFFFFFF:
                    wide.append(int.from_bytes(extra[at : at + 8], "little"))
                    at += 8
                else:
                    wide.append(size)
            return wide
        position += 4 + length
    return sizes


def _require_harmless(name: bytes, head: bytes) -> None:
    """Nothing outside the folder it is unpacked in, no links, nothing that cannot be looked at."""
    flags = int.from_bytes(head[8:10], "little")
    path = name.replace(b"\\", b"/")
    if flags & 0x41:
        raise FileRefused("zip_encrypted", "The archive is encrypted: nobody could look into it.")
    if (
        not path
        or path.startswith(b"/")
        or path[1:2] == b":"
        or b"\0" in path
        or b".." in path.split(b"/")
    ):
        raise FileRefused("zip_path", "A name in the archive leads out of its folder.")
    if head[5] == 3 and int.from_bytes(head[38:42], "little") >> 28 == _SYMLINK:
        raise FileRefused("zip_path", "The archive holds a link to another place.")
    if int.from_bytes(head[10:12], "little") not in {0, 8}:
        raise FileRefused("zip_method", "Only the methods stored and deflate are accepted.")


def _require_apart(content: Content, entries: list[_Entry], directory: int) -> None:
    """No two entries share bytes, and nothing lies between them: that is how the best bombs, and
    stowaways, are made."""
    position = 0
    for entry in sorted(entries, key=lambda entry: entry.start):
        if not position <= entry.start <= position + _DESCRIPTOR_BYTES * bool(position):
            raise _refused("Files in the archive overlap, or something lies between them.")
        position = _data_start(content, entry) + entry.packed_bytes
    if not position <= directory <= position + _DESCRIPTOR_BYTES:
        raise _refused("Files in the archive overlap, or something lies between them.")


def _data_start(content: Content, entry: _Entry) -> int:
    head = content[entry.start : entry.start + 30]
    if head[:4] != b"PK\x03\x04" or len(head) < 30:
        raise damaged("ZIP")
    name_bytes, extra_bytes = (int.from_bytes(head[i : i + 2], "little") for i in (26, 28))
    if content[entry.start + 30 : entry.start + 30 + name_bytes] != entry.name:
        raise FileRefused("zip_path", "The archive names a file in two ways.")
    return entry.start + 30 + name_bytes + extra_bytes


def _unpack(content: Content, entry: _Entry) -> None:
    """Every byte, to see that it is as many as stated, and no archive again."""
    seen, checksum, start = 0, 0, b""
    for chunk in _unpacked(content, entry):
        if len(start) < 8:
            start = (start + chunk[:8])[:8]
        seen += len(chunk)
        if seen > entry.unpacked_bytes:
            raise _refused("A file in the archive unpacks to more than the archive states.")
        checksum = zlib.crc32(chunk, checksum)
    if seen != entry.unpacked_bytes or checksum != entry.checksum:
        raise damaged("ZIP")
    if start.startswith(_ARCHIVES):
        raise FileRefused("zip_nested", "The archive holds an archive: unpack that one first.")


def _unpacked(content: Content, entry: _Entry) -> Iterator[bytes]:
    position = _data_start(content, entry)
    end = position + entry.packed_bytes
    inflating = zlib.decompressobj(-15) if entry.method == 8 else None
    while position < end:
        chunk = content[position : min(position + _CHUNK_BYTES, end)]
        if not chunk:
            raise damaged("ZIP")
        position += len(chunk)
        if inflating is None:
            yield chunk
            continue
        try:
            while chunk and not inflating.eof:
                yield inflating.decompress(chunk, _CHUNK_BYTES)
                chunk = inflating.unconsumed_tail
        except zlib.error:
            raise damaged("ZIP") from None
    if inflating is not None and (not inflating.eof or inflating.unused_data):
        raise damaged("ZIP")


def _is_bomb(packed_bytes: int, unpacked_bytes: int) -> bool:
    return unpacked_bytes > _SMALL_BYTES and unpacked_bytes > MAX_RATIO * max(packed_bytes, 1)


def _refused(message: str) -> FileRefused:
    return FileRefused("zip_bomb", message)
