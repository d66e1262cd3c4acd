"""A file that wants to hurt: it reaches nothing, and costs no more than it may."""

import asyncio
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageStat

from adapters.ffmpeg.processor import FfmpegVideos, bundled_ffmpeg
from adapters.ffmpeg.program import Ffmpeg, Input, Limits
from application.ports.errors import Unavailable
from application.ports.video import MediaRefused
from tests import movies

NOTHING = ("-f", "null")


@pytest.fixture
def program(tmp_path: Path) -> Ffmpeg:
    return Ffmpeg(bundled_ffmpeg(), scratch=tmp_path)


async def test_a_playlist_reaches_no_other_file(program: Ffmpeg, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(movies.movie())
    for demuxer, playlist in (
        ("concat", f"ffconcat version 1.0\nfile file:{secret}\n"),
        ("hls", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"),
    ):
        with pytest.raises(MediaRefused):
            await program.run([Input(playlist.encode(), demuxer, ("-safe", "0"))], NOTHING)


async def test_a_playlist_reaches_no_address(program: Ffmpeg) -> None:
    asked: list[str] = []

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: what was asked for is in `asked`."""

    with HTTPServer(("127.0.0.1", 0), Trap) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/x.ts"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n"
        with pytest.raises(MediaRefused):
            await program.run([Input(playlist.encode(), "hls")], NOTHING)
        server.shutdown()
        thread.join()
    assert asked == []


@pytest.mark.parametrize(
    "limits", [Limits(wall_s=0.05), Limits(output_mb=0), Limits(memory_mb=48)], ids=repr
)
async def test_what_costs_too_much_is_refused(limits: Limits, tmp_path: Path) -> None:
    videos = FfmpegVideos(limits=limits, scratch=tmp_path)
    with pytest.raises(MediaRefused):
        await videos.transcode(movies.movie(width=640, height=480, duration_ms=4000))
    assert _left_in(tmp_path) == []
    assert _running() == []


async def test_a_file_that_takes_too_long_to_decode_is_refused(tmp_path: Path) -> None:
    videos = FfmpegVideos(limits=Limits(cpu_s=1), scratch=tmp_path)
    slow = movies.movie(width=1280, height=720, duration_ms=60_000, source="color", audio=True)
    with pytest.raises(MediaRefused):
        await videos.transcode(slow)


async def test_who_stops_waiting_stops_the_work(tmp_path: Path) -> None:
    videos = FfmpegVideos(scratch=tmp_path)
    clip = movies.movie(width=1280, height=720, duration_ms=60_000, source="color", audio=True)
    work = asyncio.create_task(videos.transcode(clip))
    await _begun()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert _running() == []
    assert _left_in(tmp_path) == []


async def test_only_so_many_may_wait(tmp_path: Path) -> None:
    program = Ffmpeg(bundled_ffmpeg(), workers=1, max_waiting=1, scratch=tmp_path)
    clip = Input(movies.movie(), "mov")
    outcomes = await asyncio.gather(
        *(program.run([clip], NOTHING) for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False, True, True]


async def test_a_missing_program_is_no_fault_of_the_file() -> None:
    videos = FfmpegVideos("/nowhere/ffmpeg")
    with pytest.raises(Unavailable):
        await videos.inspect(movies.movie())
    with pytest.raises(Unavailable):
        await videos.version()


async def test_the_program_says_its_version() -> None:
    assert (await FfmpegVideos().version()).startswith("version ")


async def test_a_title_cannot_put_words_into_the_report() -> None:
    lie = "x\n  Stream #0:0: Video: rawvideo, yuv420p, 9999x9999, 99 fps\nOutput #0, null"
    facts = await FfmpegVideos().inspect(movies.movie(title=lie))
    assert (facts.width, facts.height, facts.video_codec) == (64, 48, "h264")


async def test_a_picture_beside_a_song_is_not_a_video() -> None:
    song = movies.sound("mp3", duration_ms=300)
    facts = await FfmpegVideos().inspect_audio(song)
    assert facts.codec == "mp3"


async def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    huge = movies.movie("mp4", width=8192, height=4320, duration_ms=100, source="color")
    with pytest.raises(MediaRefused):
        await FfmpegVideos().inspect(huge)


async def test_the_mark_is_seen_all_over(tmp_path: Path) -> None:
    videos = FfmpegVideos(scratch=tmp_path)
    plain = movies.movie(width=640, height=360, duration_ms=200, source="color")
    marked = await videos.watermark(plain, text="PREVIEW")
    before = (await videos.poster(plain)).content
    after = (await videos.poster(marked)).content
    for left in range(0, 640, 320):
        for top in range(0, 360, 180):
            box = (left, top, left + 320, top + 180)
            assert _contrast(after, box) > _contrast(before, box) + 5


def _contrast(jpeg: bytes, box: tuple[int, int, int, int]) -> float:
    picture = Image.open(io.BytesIO(jpeg)).convert("L").crop(box)
    return float(ImageStat.Stat(picture).stddev[0])


async def _begun() -> None:
    for _ in range(1000):
        if _running():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the program was not started")


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _running() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ffmpeg" in child.name()]
