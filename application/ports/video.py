"""What we do to videos and sounds, apart from storing them. Slow: never within a transaction.

Nothing in a file is believed: the format is told by magic bytes, then everything is decoded, within
limits on time, memory and size, and without a way to the network or to other files.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from application.ports.images import Rendition
from domain.media.clips import AudioFormat, VideoFormat
from domain.shared.errors import Invalid, UnsupportedType

MP4 = "video/mp4"
"""All that is made here is an MP4 with H.264 and AAC that plays while it loads."""


class MediaRefused(Invalid):
    """The bytes claim to be a video or a sound that we accept, but are broken, too large or too
    long, hold nothing of the kind, or ask for too much work."""

    code = "media_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class MediaTypeRefused(UnsupportedType):
    """The bytes are no video, or no sound, of a kind that we accept."""

    code = "media_type_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class VideoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`width` and `height` are as a player shows the video: turned, where the file says so.
    `duration_ms` is what was decoded, whatever the file claims."""

    format: VideoFormat
    width: int
    height: int
    duration_ms: int
    frames_per_second: float
    video_codec: str
    audio_codec: str | None = None

    @property
    def content_type(self) -> str:
        return f"video/{self.format}"


class AudioFacts(msgspec.Struct, frozen=True, kw_only=True):
    format: AudioFormat
    duration_ms: int
    codec: str
    sample_rate_hz: int
    channels: int

    @property
    def content_type(self) -> str:
        return "audio/mpeg" if self.format == "mp3" else f"audio/{self.format}"


class VideoProcessor(Protocol):
    """Raises MediaTypeRefused and MediaRefused for what cannot be used; Unavailable when the
    processor is missing, or has too much to do. A cancelled call stops its work and leaves nothing.

    Everything made is an MP4 (H.264, AAC, 4:2:0) without metadata, unless it is said otherwise.
    """

    async def inspect(self, content: bytes) -> VideoFacts:
        """Read the header, and decode everything once."""
        ...

    async def inspect_audio(self, content: bytes) -> AudioFacts:
        """The same for a sound."""
        ...

    async def transcode(self, content: bytes) -> bytes:
        """What every player plays."""
        ...

    async def strip(self, content: bytes) -> bytes:
        """The same video and sound, untouched, in the same container without titles, places,
        dates, chapters, subtitles and attachments."""
        ...

    async def trim(self, content: bytes, *, start_ms: int, end_ms: int) -> bytes:
        """The part from `start_ms` up to `end_ms`, to the frame."""
        ...

    async def concat(self, contents: Sequence[bytes]) -> bytes:
        """One after the other, in the size and rate of the first; silence where there is none."""
        ...

    async def poster(self, content: bytes, *, at_ms: int = 0) -> Rendition:
        """A frame, as JPEG: the one at `at_ms`, or the last one before it."""
        ...

    async def frames(self, content: bytes, *, most: int) -> list[Rendition]:
        """Up to `most` frames, small, the first and others evenly after it, at most one for each
        half second: to be looked at. Of a video of more than an hour, those of the first."""
        ...

    async def watermark(self, content: bytes, *, text: str) -> bytes:
        """A preview: at most 720 pixels high, `text` tiled visibly over all of it."""
        ...
