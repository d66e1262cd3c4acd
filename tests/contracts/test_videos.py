"""What everything that processes videos promises: the fake, and ffmpeg."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from adapters.ffmpeg.processor import FfmpegVideos
from adapters.memory import video as memory
from adapters.memory.video import MemoryVideos
from application.ports.video import MediaRefused, MediaTypeRefused, VideoProcessor
from tests import movies

FRAME_MS = 100


class Cutting(NamedTuple):
    videos: VideoProcessor
    movie: Callable[..., bytes]
    sound: Callable[..., bytes]


@pytest.fixture(params=["memory", "ffmpeg"])
def cutting(request: pytest.FixtureRequest) -> Cutting:
    if request.param == "memory":
        return Cutting(MemoryVideos(), memory.movie, memory.sound)
    return Cutting(FfmpegVideos(), movies.movie, movies.sound)


def _clip(cutting: Cutting, kind: str = "mp4", **about: object) -> bytes:
    plain = {"width": 64, "height": 48, "duration_ms": 1000, "frames_per_second": 10}
    return cutting.movie(kind, **(plain | about))


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "h264"), ("webm", "vp9")])
async def test_a_video_is_known_by_its_bytes(cutting: Cutting, kind: str, codec: str) -> None:
    facts = await cutting.videos.inspect(_clip(cutting, kind))
    assert (facts.format, facts.width, facts.height) == (kind, 64, 48)
    assert (facts.video_codec, facts.audio_codec) == (codec, None)
    assert facts.frames_per_second == 10
    assert facts.duration_ms == pytest.approx(1000, abs=FRAME_MS)
    assert facts.content_type == f"video/{kind}"


async def test_its_sound_is_told(cutting: Cutting) -> None:
    facts = await cutting.videos.inspect(_clip(cutting, audio=True))
    assert facts.audio_codec == "aac"


@pytest.mark.parametrize(
    ("kind", "content_type", "codec"),
    [
        ("wav", "audio/wav", "pcm_s16le"),
        ("mp3", "audio/mpeg", "mp3"),
        ("flac", "audio/flac", "flac"),
        ("ogg", "audio/ogg", "vorbis"),
    ],
)
async def test_a_sound_is_known_by_its_bytes(
    cutting: Cutting, kind: str, content_type: str, codec: str
) -> None:
    facts = await cutting.videos.inspect_audio(cutting.sound(kind, duration_ms=500))
    assert (facts.format, facts.content_type, facts.codec) == (kind, content_type, codec)
    assert (facts.sample_rate_hz, facts.channels) == (44_100, 1)
    assert facts.duration_ms == pytest.approx(500, abs=60)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"#EXTM3U\nhttp://127.0.0.1/x.ts", b"ffconcat version 1.0\nfile /etc/passwd"],
)
async def test_other_kinds_are_refused_as_such(cutting: Cutting, content: bytes) -> None:
    for attempt in (
        cutting.videos.inspect(content),
        cutting.videos.inspect_audio(content),
        cutting.videos.transcode(content),
        cutting.videos.strip(content),
        cutting.videos.watermark(content, text="PREVIEW"),
    ):
        with pytest.raises(MediaTypeRefused):
            await attempt


async def test_a_broken_video_is_refused(cutting: Cutting) -> None:
    whole = _clip(cutting)
    with pytest.raises(MediaRefused):
        await cutting.videos.inspect(whole[: len(whole) // 2])


async def test_a_transcoded_webm_is_an_mp4_for_everybody(cutting: Cutting) -> None:
    made = await cutting.videos.transcode(_clip(cutting, "webm", audio=True))
    facts = await cutting.videos.inspect(made)
    assert (facts.format, facts.video_codec, facts.audio_codec) == ("mp4", "h264", "aac")
    assert (facts.width, facts.height) == (64, 48)


async def test_odd_sides_are_made_even(cutting: Cutting) -> None:
    made = await cutting.videos.transcode(_clip(cutting, "webm", width=65, height=49))
    facts = await cutting.videos.inspect(made)
    assert (facts.width, facts.height) == (64, 48)


@pytest.mark.parametrize("kind", ["mp4", "webm"])
async def test_stripped_of_titles_it_is_the_same_video(cutting: Cutting, kind: str) -> None:
    given = _clip(cutting, kind, audio=True, title="Ada at 48.8584")
    assert b"Ada at" in given
    made = await cutting.videos.strip(given)
    assert b"Ada at" not in made
    before, after = await cutting.videos.inspect(given), await cutting.videos.inspect(made)
    assert (after.format, after.video_codec, after.audio_codec) == (
        before.format,
        before.video_codec,
        before.audio_codec,
    )
    assert after.duration_ms == pytest.approx(before.duration_ms, abs=FRAME_MS)


async def test_what_is_made_anew_has_no_title_either(cutting: Cutting) -> None:
    given = _clip(cutting, title="Ada at 48.8584")
    for made in (
        await cutting.videos.transcode(given),
        await cutting.videos.watermark(given, text="PREVIEW"),
        await cutting.videos.concat([given]),
    ):
        assert b"Ada at" not in made


async def test_a_part_is_cut_out(cutting: Cutting) -> None:
    made = await cutting.videos.trim(_clip(cutting), start_ms=300, end_ms=700)
    assert (await cutting.videos.inspect(made)).duration_ms == pytest.approx(400, abs=FRAME_MS)


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1, 500), (500, 500), (700, 300), (5000, 6000)])
async def test_a_part_that_is_not_there_is_refused(
    cutting: Cutting, start_ms: int, end_ms: int
) -> None:
    with pytest.raises(MediaRefused):
        await cutting.videos.trim(_clip(cutting), start_ms=start_ms, end_ms=end_ms)


async def test_clips_are_put_together_in_the_frame_of_the_first(cutting: Cutting) -> None:
    silent, other = _clip(cutting), _clip(cutting, "webm", width=32, height=90, audio=True)
    made = await cutting.videos.concat([silent, other, silent])
    facts = await cutting.videos.inspect(made)
    assert (facts.format, facts.width, facts.height) == ("mp4", 64, 48)
    assert facts.audio_codec == "aac"
    assert facts.duration_ms == pytest.approx(3000, abs=3 * FRAME_MS)


async def test_nothing_and_too_many_cannot_be_put_together(cutting: Cutting) -> None:
    for clips in ([], [_clip(cutting)] * 21):
        with pytest.raises(MediaRefused):
            await cutting.videos.concat(clips)


@pytest.mark.parametrize("at_ms", [0, 500, 60_000])
async def test_a_poster_is_a_frame(cutting: Cutting, at_ms: int) -> None:
    poster = await cutting.videos.poster(_clip(cutting), at_ms=at_ms)
    assert (poster.content_type, poster.width, poster.height) == ("image/jpeg", 64, 48)
    assert poster.content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("duration_ms", "kind", "count"), [(300, "mp4", 1), (1900, "webm", 4), (9000, "mp4", 5)]
)
async def test_some_frames_are_enough_to_look_at_it(
    cutting: Cutting, duration_ms: int, kind: str, count: int
) -> None:
    frames = await cutting.videos.frames(_clip(cutting, kind, duration_ms=duration_ms), most=5)
    assert len(frames) == count
    assert len({frame.content for frame in frames}) == count
    for frame in frames:
        assert frame.content.startswith(b"\xff\xd8\xff")
        assert frame.content_type == "image/jpeg"
        assert frame.width / frame.height == pytest.approx(64 / 48, abs=0.01)


async def test_of_what_is_no_video_there_are_no_frames(cutting: Cutting) -> None:
    with pytest.raises(MediaTypeRefused):
        await cutting.videos.frames(b"<html>", most=5)


async def test_a_preview_is_small_and_keeps_its_sound(cutting: Cutting) -> None:
    large = _clip(cutting, width=1920, height=1080, duration_ms=300, audio=True)
    facts = await cutting.videos.inspect(await cutting.videos.watermark(large, text="PREVIEW"))
    assert (facts.width, facts.height) == (1280, 720)
    assert facts.audio_codec == "aac"
