"""Reads what ffmpeg reports. ffprobe is not in every build of it, so its own words must do.

Lines of streams begin with exactly two spaces; titles and comments out of the file stand deeper,
and their line breaks are indented too, so a file cannot put words into the report.
"""

import re
import struct
from typing import Final, NamedTuple

from application.ports.video import MediaRefused

_START_OF_FRAME: Final = frozenset({0xC0, 0xC1, 0xC2})
_MAPPED: Final = re.compile(r"^  Stream #0:\d+ -> #0:(\d+) \((\w+) ", re.MULTILINE)
_OUTPUT: Final = re.compile(r"^Output #0", re.MULTILINE)
_VIDEO: Final = re.compile(r"^  Stream #0:(\d+)\S*: Video: .*?, (\d+)x(\d+)[, ](.*)$", re.MULTILINE)
_AUDIO: Final = re.compile(
    r"^  Stream #0:(\d+)\S*: Audio: [^,]*, (\d+) Hz, ([^,\n]+)", re.MULTILINE
)
_RATE: Final = re.compile(r"([\d.]+)(k?) fps")
_TIME: Final = re.compile(r"^out_time_us=(\d+)", re.MULTILINE)
_FRAMES: Final = re.compile(r"^frame=\s*(\d+)", re.MULTILINE)
_CHANNELS: Final = {"mono": 1, "stereo": 2, "2.1": 3, "quad": 4, "5.0": 5, "5.1": 6, "7.1": 8}


class VideoStream(NamedTuple):
    codec: str
    width: int
    height: int
    frames_per_second: float


class AudioStream(NamedTuple):
    codec: str
    sample_rate_hz: int
    channels: int


class Heard(NamedTuple):
    video: VideoStream | None
    audio: AudioStream | None
    duration_ms: int


def read(report: str, progress: str) -> Heard:
    """Of a run that decoded everything into nothing. Raises MediaRefused."""
    codecs = {int(place): codec for place, codec in _MAPPED.findall(report)}
    made = _OUTPUT.split(report, maxsplit=1)[-1]
    times = _TIME.findall(progress)
    if not times or not codecs:
        raise MediaRefused("There is nothing in it that can be played.")
    video = audio = None
    if found := _VIDEO.search(made):
        frames = _FRAMES.findall(progress)
        if not frames or not int(frames[-1]):
            raise MediaRefused("There is no picture in it.")
        rate = _RATE.search(found[4])
        video = VideoStream(
            codecs.get(int(found[1]), "unknown"),
            int(found[2]),
            int(found[3]),
            float(rate[1]) * (1000 if rate[2] else 1) if rate else 0.0,
        )
    if heard := _AUDIO.search(made):
        audio = AudioStream(
            codecs.get(int(heard[1]), "unknown"), int(heard[2]), _channels(heard[3])
        )
    return Heard(video, audio, round(int(times[-1]) / 1000))


def _channels(layout: str) -> int:
    name = layout.strip().partition("(")[0]
    counted = re.match(r"(\d+) channels", name)
    return int(counted[1]) if counted else _CHANNELS.get(name, 2)


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height, out of the header of a picture that ffmpeg has made."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if jpeg[at + 1] in _START_OF_FRAME:
            height, width = struct.unpack(">HH", jpeg[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    raise MediaRefused("There is no picture in it.")
