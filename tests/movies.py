"""Short real videos and sounds, made by the ffmpeg that comes with the wheel."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.ffmpeg.processor import bundled_ffmpeg


@cache
def movie(
    kind: str = "mp4",
    *,
    duration_ms: int = 1000,
    width: int = 64,
    height: int = 48,
    frames_per_second: float = 10,
    audio: bool = False,
    title: str = "",
    source: str = "testsrc",
) -> bytes:
    seconds = f"{duration_ms / 1000:.3f}"
    picture = f"{source}=s={width}x{height}:r={frames_per_second}:d={seconds}"
    given = ["-f", "lavfi", "-i", picture]
    if audio:
        given += ["-f", "lavfi", "-i", f"sine=d={seconds}"]
    codecs = {
        "mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"],
    }[kind]
    names = ["-metadata", f"title={title}", "-metadata", f"location={title}"] if title else []
    if title:
        names += ["-metadata:s:v:0", f"handler_name={title}", "-metadata:s:v:0", f"title={title}"]
    return made(kind, [*given, *codecs, *names, "-t", seconds])


@cache
def sound(kind: str = "wav", *, duration_ms: int = 1000) -> bytes:
    tone = f"sine=d={duration_ms / 1000:.3f}:r=44100"
    return made(kind, ["-f", "lavfi", "-i", tone, "-ac", "1"])


def made(suffix: str, arguments: list[str]) -> bytes:
    with TemporaryDirectory() as folder:
        target = Path(folder) / f"made.{suffix}"
        subprocess.run(
            [bundled_ffmpeg(), "-nostdin", "-v", "error", *arguments, str(target)], check=True
        )
        return target.read_bytes()
