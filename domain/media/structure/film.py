"""MP4: boxes within boxes (ISO/IEC 14496-12)."""

from collections.abc import Iterator

from domain.media.content import Content
from domain.media.structure.found import FileRefused, Found, damaged

_MAX_BOXES = 100_000
_BRANDS = {
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"),
    *(b"mp41", b"mp42", b"avc1", b"hvc1", b"dash", b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"f4v "),
}
_KNOWN_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"pdin", b"sidx"),
    *(b"ssix", b"styp", b"prft", b"uuid", b"meta", b"udta", b"emsg", b"meco", b"pssh"),
}


def walk_mp4(content: Content) -> Found:
    """A brand of MP4, one `moov`, and boxes that fill the file to its last byte."""
    movie: tuple[int, int] | None = None
    has_media = False
    for number, (kind, start, end) in enumerate(_boxes(content, 0, len(content))):
        if kind not in _KNOWN_BOXES:
            raise FileRefused(
                "file_trailing_data", "The MP4 file holds something that is no part of a film."
            )
        if number == 0 and content[start : start + 4] not in _BRANDS:
            raise FileRefused("file_type_refused", "This is not an MP4 of a kind that we take.")
        if kind == b"moov":
            if movie is not None:
                raise damaged("MP4")
            movie = start, end
        has_media |= kind == b"mdat"
    if movie is None or not has_media:
        raise damaged("MP4")
    return _described(content, *movie)


def _boxes(content: Content, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte of the body, and end of each box."""
    for _ in range(_MAX_BOXES):
        if start == end:
            return
        head = content[start : start + 16]
        size, body = int.from_bytes(head[:4]), start + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16]), start + 16
        elif size == 0:
            size = end - start
        if len(head) < 8 or start + size < body or start + size > end:
            raise damaged("MP4")
        yield head[4:8], body, start + size
        start += size
    raise damaged("MP4")


def _described(content: Content, start: int, end: int) -> Found:
    """Duration of the film and size of its picture, if it has one."""
    duration_ms = width = height = None
    for kind, body, after in _boxes(content, start, end):
        if kind == b"mvhd":
            duration_ms = _duration_ms(content, body)
        elif kind == b"trak":
            for part, inner, _ in _boxes(content, body, after):
                if part == b"tkhd":
                    wide = content[inner : inner + 1] == b"\x01"
                    at = inner + (88 if wide else 76)
                    size = [int.from_bytes(content[at + i : at + i + 2]) for i in (0, 4)]
                    if all(size):
                        width, height = size
    if duration_ms is None:
        raise damaged("MP4")
    return Found(width=width, height=height, duration_ms=duration_ms or None)


def _duration_ms(content: Content, start: int) -> int:
    if content[start : start + 1] == b"\x01":
        scale, duration = content[start + 20 : start + 24], content[start + 24 : start + 32]
    else:
        scale, duration = content[start + 12 : start + 16], content[start + 16 : start + 20]
    if not (per_second := int.from_bytes(scale)) or not duration:
        raise damaged("MP4")
    return int.from_bytes(duration) * 1000 // per_second
