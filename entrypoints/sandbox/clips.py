"""Short real videos and sounds: H.264 that decodes, speech that is a melody of the words.

The same input gives the same bytes. The work is ffmpeg's: call it in a thread.
"""

import hashlib
import io
import math
import subprocess
import wave
from array import array
from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageOps

from entrypoints.sandbox.media import InputUnreadable
from entrypoints.sandbox.portrait import seeded

LONGEST_SIDE = 320
CLIP_FRAMES = 14
SAMPLE_RATE_HZ = 24_000
WORD_S = 0.12
LONGEST_SPEECH_S = 20.0
LONGEST_CLIP_S = "20"
PATIENCE_S = 60
REMEMBERED = 64

_ENCODED = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"),
)
_SPEECH_CODECS = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "64k"),
    "opus": ("-c:a", "libopus"),
    "aac": ("-c:a", "aac"),
    "flac": ("-c:a", "flac"),
}


class _Remembered:
    """What was made lately, by what it was made of: nobody pays for the same clip twice."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        return self._made.get(key)

    def keep(self, key: str, content: bytes) -> bytes:
        self._made[key] = content
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return content


_made = _Remembered()


def moving(still: bytes, *, seed: int, motion: int, fps: int) -> bytes:
    """The still drifts and grows, the more the larger `motion` (1 to 255). Raises ValueError."""
    key = _key("moving", still, seed, motion, fps)
    if (found := _made.get(key)) is not None:
        return found
    picture = _small(still)
    rng = seeded("moving", seed)
    angle, most = rng.uniform(0, math.tau), 0.02 + 0.2 * motion / 255
    frames = bytearray()
    for number in range(CLIP_FRAMES):
        share = most * number / CLIP_FRAMES
        margin_x, margin_y = picture.width * share / 2, picture.height * share / 2
        x, y = margin_x * math.cos(angle), margin_y * math.sin(angle)
        box = (
            margin_x + x,
            margin_y + y,
            picture.width - margin_x + x,
            picture.height - margin_y + y,
        )
        frames += picture.resize(picture.size, Image.Resampling.BILINEAR, box).tobytes()
    size = f"{picture.width}x{picture.height}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps), "-i", "0"]
    return _made.keep(key, _ffmpeg([bytes(frames)], raw, [*_ENCODED], "mp4"))


def talking(still: bytes, audio: bytes) -> bytes:
    """The still with the sound, as long as it lasts. Raises ValueError, InputUnreadable."""
    key = _key("talking", still, audio)
    if (found := _made.get(key)) is not None:
        return found
    picture = io.BytesIO()
    _small(still).save(picture, "PNG")
    given = ["-loop", "1", "-framerate", "10", "-f", "png_pipe", "-i", "0", "-i", "1"]
    sway = "rotate=0.02*sin(6*t):ow=iw:oh=ih"
    ending = ["-vf", sway, "-map", "0:v", "-map", "1:a", "-shortest", "-t", LONGEST_CLIP_S]
    return _made.keep(key, _ffmpeg([picture.getvalue(), audio], given, [*ending, *_ENCODED], "mp4"))


def moved_like(still: bytes, driving: bytes) -> bytes:
    """The still, with the driving video small in a corner. Raises ValueError, InputUnreadable."""
    key = _key("driven", still, driving)
    if (found := _made.get(key)) is not None:
        return found
    picture = io.BytesIO()
    _small(still).save(picture, "PNG")
    given = ["-i", "1", "-loop", "1", "-f", "png_pipe", "-i", "0"]
    graph = "[0:v]scale=96:-2[d];[1:v][d]overlay=8:8:shortest=1[v]"
    ending = ["-filter_complex", graph, "-map", "[v]", "-t", LONGEST_CLIP_S]
    return _made.keep(
        key, _ffmpeg([picture.getvalue(), driving], given, [*ending, *_ENCODED], "mp4")
    )


def speech(text: str, *, voice: str, kind: str) -> bytes:
    """A tone for each word; `kind` is mp3, wav, opus, aac, flac, or pcm."""
    key = _key("speech", text, voice, kind)
    if (found := _made.get(key)) is not None:
        return found
    samples = array("h")
    base_hz = seeded("voice", voice).uniform(140, 300)
    for word in text.split()[: int(LONGEST_SPEECH_S / WORD_S)] or ["…"]:
        pitch_hz = base_hz * 2 ** (seeded("word", word).randrange(-4, 8) / 12)
        count = round(SAMPLE_RATE_HZ * WORD_S * min(2.0, 0.5 + len(word) / 6))
        for number in range(count):
            swell = math.sin(math.pi * number / count)
            wave_ = math.sin(math.tau * pitch_hz * number / SAMPLE_RATE_HZ)
            samples.append(round(9000 * swell * wave_))
    if kind == "pcm":
        return _made.keep(key, samples.tobytes())
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE_HZ)
        target.writeframes(samples.tobytes())
    if kind == "wav":
        return _made.keep(key, out.getvalue())
    suffix = {"opus": "ogg", "aac": "aac"}.get(kind, kind)
    made = _ffmpeg([out.getvalue()], ["-f", "wav", "-i", "0"], [*_SPEECH_CODECS[kind]], suffix)
    return _made.keep(key, made)


def _small(still: bytes) -> Image.Image:
    """At most 320 px, even sides. Raises ValueError for what is not an image."""
    try:
        with Image.open(io.BytesIO(still)) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("not an image that can be read") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture.resize((max(2, picture.width // 2 * 2), max(2, picture.height // 2 * 2)))


def _ffmpeg(inputs: list[bytes], given: list[str], ending: list[str], suffix: str) -> bytes:
    """`-i 0` in `given` is the first of the inputs. Raises InputUnreadable."""
    import imageio_ffmpeg  # type: ignore[import-untyped]

    with TemporaryDirectory(prefix="sandbox-clip-") as folder:
        target = Path(folder) / f"made.{suffix}"
        names = []
        for number, content in enumerate(inputs):
            path = Path(folder) / f"given{number}"
            path.write_bytes(content)
            names.append(str(path))
        line = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
        for before, word in zip(["", *given], given, strict=False):
            line.append(names[int(word)] if before == "-i" else word)
        line += [*ending, "-fflags", "+bitexact", "-map_metadata", "-1", str(target)]
        try:
            subprocess.run(line, check=True, capture_output=True, timeout=PATIENCE_S)
        except (subprocess.SubprocessError, OSError) as error:
            raise InputUnreadable("the video or sound cannot be decoded") from error
        return target.read_bytes()


def _key(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(content).to_bytes(8) + content)
    return digest.hexdigest()
