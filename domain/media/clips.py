"""Which videos and sounds we take, told by their first bytes and never by their name, and how much
of them."""

from collections.abc import Sequence
from typing import Literal, TypeVar

T = TypeVar("T")

VideoFormat = Literal["mp4", "webm"]
AudioFormat = Literal["mp3", "wav", "ogg", "flac"]

MAX_VIDEO_PIXELS = 4096 * 2304
MAX_CLIP_MS = 60 * 60 * 1000


def sniff_video(content: bytes) -> VideoFormat | None:
    """The container that the magic bytes tell; QuickTime and its kin are read as MP4."""
    if content[4:8] == b"ftyp":
        return "mp4"
    if content.startswith(b"\x1aE\xdf\xa3"):
        return "webm"
    return None


def sniff_audio(content: bytes) -> AudioFormat | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content.startswith(b"OggS"):
        return "ogg"
    if content.startswith(b"fLaC"):
        return "flac"
    if content.startswith(b"ID3") or _is_mpeg_frame(content):
        return "mp3"
    return None


def _is_mpeg_frame(content: bytes) -> bool:
    """Eleven bits set, a version and a layer that exist: a frame of MPEG audio, layer III."""
    return len(content) > 1 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2


def spread(given: Sequence[T], most: int) -> list[T]:
    """At most so many of them, the first and the last among them, the others evenly between."""
    if len(given) <= most:
        return list(given)
    return [given[place * (len(given) - 1) // max(most - 1, 1)] for place in range(most)]
