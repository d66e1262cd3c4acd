"""See `application.ports.video.VideoProcessor`: what each wish means in ffmpeg's arguments."""

import asyncio
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from adapters.ffmpeg.program import Ffmpeg, Input, Limits
from adapters.ffmpeg.reading import Heard, jpeg_size, read
from application.ports.images import Rendition
from application.ports.video import AudioFacts, MediaRefused, MediaTypeRefused, VideoFacts
from domain.media.clips import (
    MAX_CLIP_MS,
    MAX_VIDEO_PIXELS,
    AudioFormat,
    VideoFormat,
    sniff_audio,
    sniff_video,
    spread,
)

VIDEO_DEMUXERS: Final[dict[VideoFormat, str]] = {"mp4": "mov", "webm": "matroska"}
AUDIO_DEMUXERS: Final[dict[AudioFormat, str]] = {
    "mp3": "mp3",
    "wav": "wav",
    "ogg": "ogg",
    "flac": "flac",
}
PREVIEW_HEIGHT: Final = 720
SAMPLE_RATE_HZ: Final = 48_000
MOST_CLIPS: Final = 20

FRAME_EVERY_S: Final = 0.5
FRAME_SIDE: Final = 512
_JPEG: Final = b"\xff\xd8\xff"
"""How each picture of a stream of them begins; nothing within one can look like it."""

_FENCE: Final = (
    "-max_pixels",
    str(MAX_VIDEO_PIXELS),
    "-t",
    str(MAX_CLIP_MS // 1000 + 1),
)
_STREAMS: Final = ("-map", "0:V:0", "-map", "0:a:0?", "-sn", "-dn")
_NAMELESS: Final = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
_EVEN: Final = "scale=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1"
_ENCODED: Final = (
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p"),
    *("-flags:v", "+bitexact", "-c:a", "aac", "-b:a", "160k", "-ac", "2", "-flags:a", "+bitexact"),
    *("-ar", str(SAMPLE_RATE_HZ), *_NAMELESS, "-movflags", "+faststart", "-f", "mp4"),
)


def bundled_ffmpeg() -> str:
    """The program that comes with a wheel, or the machine's own where there is none."""
    import imageio_ffmpeg  # type: ignore[import-untyped]

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return shutil.which("ffmpeg") or "ffmpeg"


class FfmpegVideos:
    """`binary` empty is the one that comes with the wheel."""

    def __init__(
        self,
        binary: str = "",
        *,
        limits: Limits | None = None,
        workers: int = 2,
        scratch: Path | None = None,
    ) -> None:
        self._binary = binary
        self._limits = limits
        self._workers = workers
        self._scratch = scratch
        self._program: Ffmpeg | None = None

    async def version(self) -> str:
        """Of the program, to be shown. Raises Unavailable when it cannot serve."""
        return await self._ffmpeg.version()

    async def inspect(self, content: bytes) -> VideoFacts:
        kind = _kind_of_video(content)
        heard = await self._decoded(_video(content), _STREAMS)
        if heard.video is None:
            raise MediaRefused("There is no picture in it.")
        return VideoFacts(
            format=kind,
            width=heard.video.width,
            height=heard.video.height,
            duration_ms=heard.duration_ms,
            frames_per_second=heard.video.frames_per_second,
            video_codec=heard.video.codec,
            audio_codec=heard.audio.codec if heard.audio else None,
        )

    async def inspect_audio(self, content: bytes) -> AudioFacts:
        kind = sniff_audio(content)
        if kind is None:
            raise MediaTypeRefused("Sounds are MP3, WAV, Ogg or FLAC.")
        heard = await self._decoded(Input(content, AUDIO_DEMUXERS[kind], _FENCE), ("-map", "0:a:0"))
        if heard.audio is None:
            raise MediaRefused("There is no sound in it.")
        return AudioFacts(
            format=kind,
            duration_ms=heard.duration_ms,
            codec=heard.audio.codec,
            sample_rate_hz=heard.audio.sample_rate_hz,
            channels=heard.audio.channels,
        )

    async def transcode(self, content: bytes) -> bytes:
        return await self._made([_video(content)], [*_STREAMS, "-vf", _EVEN])

    async def strip(self, content: bytes) -> bytes:
        kind = _kind_of_video(content)
        arguments = [*_STREAMS, *_NAMELESS, "-c", "copy"]
        if kind == "mp4":
            arguments += ["-movflags", "+faststart"]
        run = await self._ffmpeg.run([_video(content)], [*arguments, "-f", kind], output=kind)
        return run.output

    async def trim(self, content: bytes, *, start_ms: int, end_ms: int) -> bytes:
        facts = await self.inspect(content)
        if not 0 <= start_ms < min(end_ms, facts.duration_ms):
            raise MediaRefused("The part to keep does not lie within the video.")
        part = ["-ss", _seconds(start_ms), "-t", _seconds(end_ms - start_ms)]
        return await self._made([_video(content)], [*_STREAMS, *part, "-vf", _EVEN])

    async def concat(self, contents: Sequence[bytes]) -> bytes:
        if not 1 <= len(contents) <= MOST_CLIPS:
            raise MediaRefused(f"From one to {MOST_CLIPS} videos can be put together.")
        facts = [await self.inspect(content) for content in contents]
        if sum(each.duration_ms for each in facts) > MAX_CLIP_MS:
            raise MediaRefused("The videos are too long together.")
        graph = _joined(facts)
        streams = ["-map", "[v]", *(["-map", "[a]"] if _has_sound(facts) else [])]
        inputs = [_video(content) for content in contents]
        return await self._made(inputs, ["-filter_complex", graph, *streams])

    async def poster(self, content: bytes, *, at_ms: int = 0) -> Rendition:
        facts = await self.inspect(content)
        frame_ms = math.ceil(1000 / (facts.frames_per_second or 1))
        at = max(0, min(at_ms, facts.duration_ms - frame_ms))
        picture = ["-map", "0:V:0", "-frames:v", "1", "-q:v", "3", "-flags:v", "+bitexact"]
        run = await self._ffmpeg.run(
            [_video(content, "-ss", _seconds(at))],
            [*picture, *_NAMELESS, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "image2"],
            output="jpg",
        )
        return Rendition(
            content=run.output, content_type="image/jpeg", width=facts.width, height=facts.height
        )

    async def frames(self, content: bytes, *, most: int) -> list[Rendition]:
        """One pass over the whole of it: a frame that is no key frame counts like any other."""
        every = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{FRAME_EVERY_S})'"
        small = f"scale=w={FRAME_SIDE}:h={FRAME_SIDE}:force_original_aspect_ratio=decrease"
        picture = ["-map", "0:V:0", "-vf", f"{every},{small}", "-fps_mode", "passthrough"]
        run = await self._ffmpeg.run(
            [_video(content)],
            [*picture, "-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-f", "mjpeg"],
            output="mjpeg",
        )
        pictures = [_JPEG + rest for rest in run.output.split(_JPEG)[1:]]
        return [_rendition(one) for one in spread(pictures, most)]

    async def watermark(self, content: bytes, *, text: str) -> bytes:
        from adapters.ffmpeg.mark import draw_mark

        facts = await self.inspect(content)
        height = min(facts.height, PREVIEW_HEIGHT) // 2 * 2 or 2
        width = round(facts.width * height / facts.height) // 2 * 2 or 2
        mark = await asyncio.to_thread(draw_mark, text, width, height)
        graph = f"[0:V:0]scale={width}:{height},setsar=1[p];[p][1:v:0]overlay=0:0[v]"
        streams = ["-map", "[v]", "-map", "0:a:0?"]
        return await self._made(
            [_video(content), Input(mark, "png_pipe")], ["-filter_complex", graph, *streams]
        )

    @property
    def _ffmpeg(self) -> Ffmpeg:
        """Found when it is first needed: most processes never do."""
        if self._program is None:
            binary = self._binary or bundled_ffmpeg()
            self._program = Ffmpeg(
                binary, limits=self._limits, workers=self._workers, scratch=self._scratch
            )
        return self._program

    async def _decoded(self, given: Input, streams: Sequence[str]) -> Heard:
        """Everything decoded, into nothing; the first error ends it."""
        run = await self._ffmpeg.run([given], ["-xerror", *streams, "-f", "null"])
        heard = read(run.report, run.progress)
        if heard.duration_ms > MAX_CLIP_MS:
            raise MediaRefused("It is longer than an hour.")
        return heard

    async def _made(self, inputs: Sequence[Input], arguments: Sequence[str]) -> bytes:
        run = await self._ffmpeg.run(inputs, [*arguments, *_ENCODED], output="mp4")
        return run.output


def _kind_of_video(content: bytes) -> VideoFormat:
    kind = sniff_video(content)
    if kind is None:
        raise MediaTypeRefused("Videos are MP4 or WebM.")
    return kind


def _video(content: bytes, *options: str) -> Input:
    return Input(content, VIDEO_DEMUXERS[_kind_of_video(content)], (*_FENCE, *options))


def _rendition(jpeg: bytes) -> Rendition:
    width, height = jpeg_size(jpeg)
    return Rendition(content=jpeg, content_type="image/jpeg", width=width, height=height)


def _has_sound(facts: Sequence[VideoFacts]) -> bool:
    return any(each.audio_codec for each in facts)


def _joined(facts: Sequence[VideoFacts]) -> str:
    """A filter graph that shows all in the frame of the first, with its rate, and one after the
    other, silence where one has no sound."""
    width, height = facts[0].width // 2 * 2, facts[0].height // 2 * 2
    rate = facts[0].frames_per_second or 25
    chains, joined = [], ""
    for number, each in enumerate(facts):
        chains.append(
            f"[{number}:V:0]scale={width}:{height}:force_original_aspect_ratio=decrease,"
            f"pad={width}:{height}:-1:-1,setsar=1,fps={rate},format=yuv420p[v{number}]"
        )
        joined += f"[v{number}]"
        if _has_sound(facts):
            source = (
                f"[{number}:a:0]aresample={SAMPLE_RATE_HZ},aformat=channel_layouts=stereo"
                if each.audio_codec
                else f"anullsrc=r={SAMPLE_RATE_HZ}:cl=stereo,"
                f"atrim=duration={_seconds(each.duration_ms)}"
            )
            chains.append(f"{source}[a{number}]")
            joined += f"[a{number}]"
    ending = "a=1[v][a]" if _has_sound(facts) else "a=0[v]"
    return ";".join([*chains, f"{joined}concat=n={len(facts)}:v=1:{ending}"])


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
