"""Sound: MP3 frame by frame (ISO/IEC 11172-3 and 13818-3), WAV chunk by chunk."""

from domain.media.content import Content
from domain.media.structure.found import FileRefused, Found, damaged, trailing
from domain.media.structure.pictures import riff_chunks

_MIN_FRAMES = 3
_WINDOW_BYTES = 1024 * 1024
_RATES_HZ = (44100, 48000, 32000)
_MPEG1_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def is_frame(head: bytes) -> bool:
    return _frame(head) is not None


def walk_mp3(content: Content) -> Found:
    """Tags, frames one after the other, tags; nothing between them but zeros of padding."""
    position = _after_tags(content)
    end = _before_tags(content)
    frames, duration_us = 0, 0
    start, window = position, content[position : position + _WINDOW_BYTES]
    while position < end:
        if position + 4 > start + len(window):
            start, window = position, content[position : position + _WINDOW_BYTES]
        head = window[position - start : position - start + 4]
        frame = _frame(head)
        if frame is None:
            if not _has_only_zeros(content, position, end):
                raise trailing("MP3") if frames else damaged("MP3")
            break
        length, samples, rate_hz = frame
        frames += 1
        duration_us += samples * 1_000_000 // rate_hz
        position += length
    if frames < _MIN_FRAMES:
        raise damaged("MP3")
    return Found(duration_ms=max(duration_us // 1000, 1))


def _frame(head: bytes) -> tuple[int, int, int] | None:
    """Bytes, samples and rate of the layer III frame that starts so."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, bitrate = head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer != 1 or rate == 3 or bitrate in {0, 15}:
        return None
    halved = {3: 0, 2: 1, 0: 2}[version]
    rate_hz = _RATES_HZ[rate] >> halved
    kbps = (_MPEG1_KBPS if version == 3 else _MPEG2_KBPS)[bitrate - 1]
    samples = 1152 if version == 3 else 576
    return samples // 8 * kbps * 1000 // rate_hz + (head[2] >> 1 & 1), samples, rate_hz


def _after_tags(content: Content) -> int:
    position = 0
    while content[position : position + 3] == b"ID3":
        head = content[position : position + 10]
        if len(head) < 10 or any(byte & 0x80 for byte in head[6:]):
            raise damaged("MP3")
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        position += 10 + size + (10 if head[5] & 0x10 else 0)
    while position < len(content) and content[position : position + 1] == b"\0":
        position += 1
    return position


def _before_tags(content: Content) -> int:
    end = len(content)
    if content[end - 128 : end - 125] == b"TAG":
        end -= 128
    if end >= 32 and content[end - 32 : end - 24] == b"APETAGEX":
        size = int.from_bytes(content[end - 20 : end - 16], "little")
        has_header = int.from_bytes(content[end - 12 : end - 8], "little") >> 31
        end -= size + 32 * has_header
    return max(end, 0)


def _has_only_zeros(content: Content, position: int, end: int) -> bool:
    steps = range(position, end, _WINDOW_BYTES)
    return not any(content[at : min(at + _WINDOW_BYTES, end)].strip(b"\0") for at in steps)


def walk_wav(content: Content) -> Found:
    """One RIFF of exactly this length, with a format and the samples."""
    chunks = {kind: (start, size) for kind, start, size in riff_chunks(content, "WAV")}
    if b"fmt " not in chunks or b"data" not in chunks:
        raise damaged("WAV")
    start, size = chunks[b"fmt "]
    form = content[start : start + size]
    if len(form) < 16:
        raise damaged("WAV")
    if int.from_bytes(form[:2], "little") not in {1, 3, 0xFFFE}:
        raise FileRefused("file_type_refused", "Only uncompressed WAV is taken (PCM or float).")
    bytes_per_second = int.from_bytes(form[8:12], "little")
    if not bytes_per_second:
        raise damaged("WAV")
    return Found(duration_ms=max(chunks[b"data"][1] * 1000 // bytes_per_second, 1))
