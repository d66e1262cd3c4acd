"""Videos and sounds without a video library: clips that carry what they are as a note of ours.

`movie` and `sound` make them. Other bytes of an accepted kind are taken for a second of 640 by 360.
"""

import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.memory.images import blank_png
from application.ports.images import Rendition
from application.ports.video import AudioFacts, MediaRefused, MediaTypeRefused, VideoFacts
from domain.media.clips import (
    MAX_CLIP_MS,
    AudioFormat,
    VideoFormat,
    sniff_audio,
    sniff_video,
    spread,
)

PREVIEW_HEIGHT: Final = 720
MOST_CLIPS: Final = 20
_NOTE: Final = b"likeness-memory-clip:"
_VIDEO_HEADS: Final[dict[VideoFormat, bytes]] = {
    "mp4": struct.pack(">I", 16) + b"ftypisom" + bytes(4),
    "webm": b"\x1aE\xdf\xa3",
}
_AUDIO_HEADS: Final[dict[AudioFormat, bytes]] = {
    "mp3": b"ID3\x04\x00\x00",
    "wav": b"RIFF\x00\x00\x00\x00WAVE",
    "ogg": b"OggS",
    "flac": b"fLaC",
}


class _Clip(msgspec.Struct, frozen=True, kw_only=True):
    duration_ms: int = 1000
    width: int = 640
    height: int = 360
    frames_per_second: float = 25.0
    audio: bool = False
    title: str = ""
    mark: str = ""


def movie(kind: VideoFormat = "mp4", **about: object) -> bytes:
    """`about`: duration_ms, width, height, frames_per_second, audio, title."""
    return _VIDEO_HEADS[kind] + _NOTE + msgspec.json.encode(msgspec.convert(about, _Clip))


def sound(kind: AudioFormat = "wav", **about: object) -> bytes:
    return _AUDIO_HEADS[kind] + _NOTE + msgspec.json.encode(msgspec.convert(about, _Clip))


def frame_at(at_ms: int, title: str = "") -> bytes:
    """What `frames` gives of a video with that title at that time."""
    return b"\xff\xd8\xff" + f"{title}@{at_ms}".encode()


class MemoryVideos:
    """See `application.ports.video.VideoProcessor`. It believes the note, and keeps bounds."""

    async def inspect(self, content: bytes) -> VideoFacts:
        kind, clip = _read(content)
        return VideoFacts(
            format=kind,
            width=clip.width,
            height=clip.height,
            duration_ms=clip.duration_ms,
            frames_per_second=clip.frames_per_second,
            video_codec="h264" if kind == "mp4" else "vp9",
            audio_codec=("aac" if kind == "mp4" else "opus") if clip.audio else None,
        )

    async def inspect_audio(self, content: bytes) -> AudioFacts:
        kind = sniff_audio(content)
        if kind is None:
            raise MediaTypeRefused("Sounds are MP3, WAV, Ogg or FLAC.")
        clip = _noted(content)
        return AudioFacts(
            format=kind,
            duration_ms=clip.duration_ms,
            codec={"wav": "pcm_s16le", "ogg": "vorbis"}.get(kind, kind),
            sample_rate_hz=44_100,
            channels=1,
        )

    async def transcode(self, content: bytes) -> bytes:
        return _made(_read(content)[1])

    async def strip(self, content: bytes) -> bytes:
        kind, clip = _read(content)
        return _made(clip, kind)

    async def trim(self, content: bytes, *, start_ms: int, end_ms: int) -> bytes:
        clip = _read(content)[1]
        if not 0 <= start_ms < min(end_ms, clip.duration_ms):
            raise MediaRefused("The part to keep does not lie within the video.")
        kept = min(end_ms, clip.duration_ms) - start_ms
        return _made(msgspec.structs.replace(clip, duration_ms=kept))

    async def concat(self, contents: Sequence[bytes]) -> bytes:
        if not 1 <= len(contents) <= MOST_CLIPS:
            raise MediaRefused(f"From one to {MOST_CLIPS} videos can be put together.")
        clips = [_read(content)[1] for content in contents]
        total_ms = sum(clip.duration_ms for clip in clips)
        if total_ms > MAX_CLIP_MS:
            raise MediaRefused("The videos are too long together.")
        audio = any(clip.audio for clip in clips)
        return _made(msgspec.structs.replace(clips[0], duration_ms=total_ms, audio=audio))

    async def poster(self, content: bytes, *, at_ms: int = 0) -> Rendition:
        clip = _read(content)[1]
        picture = b"\xff\xd8\xff" + blank_png(clip.width, clip.height)
        return Rendition(
            content=picture, content_type="image/jpeg", width=clip.width, height=clip.height
        )

    async def frames(self, content: bytes, *, most: int) -> list[Rendition]:
        """The bytes of each say which it is."""
        clip = _read(content)[1]
        times = spread(range(0, clip.duration_ms, 500), most)
        return [
            Rendition(
                content=frame_at(at_ms, clip.title),
                content_type="image/jpeg",
                width=clip.width,
                height=clip.height,
            )
            for at_ms in times
        ]

    async def watermark(self, content: bytes, *, text: str) -> bytes:
        clip = _read(content)[1]
        height = min(clip.height, PREVIEW_HEIGHT)
        width = round(clip.width * height / clip.height)
        return _made(msgspec.structs.replace(clip, width=width, height=height, mark=text))


def _read(content: bytes) -> tuple[VideoFormat, _Clip]:
    kind = sniff_video(content)
    if kind is None:
        raise MediaTypeRefused("Videos are MP4 or WebM.")
    return kind, _noted(content)


def _noted(content: bytes) -> _Clip:
    note = content.partition(_NOTE)[2]
    try:
        clip = msgspec.json.decode(note, type=_Clip) if note else _Clip()
    except msgspec.DecodeError as error:
        raise MediaRefused("It is broken, or not what it claims to be.") from error
    if clip.duration_ms > MAX_CLIP_MS:
        raise MediaRefused("It is longer than an hour.")
    return clip


def _made(clip: _Clip, kind: VideoFormat = "mp4") -> bytes:
    """Sides are made even, and titles are gone."""
    sides = {"width": clip.width // 2 * 2, "height": clip.height // 2 * 2}
    about = msgspec.structs.asdict(clip) | {"title": ""}
    return movie(kind, **(about | sides)) if kind == "mp4" else movie(kind, **about)
