"""The models that take no prompt: a still moves, a face talks or copies somebody, a picture grows.

A version is asked for by its id alone, so the ids of these models are known here.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec

from entrypoints.sandbox import clips, drawing
from entrypoints.sandbox.media import Shelf, read_input

LARGEST_SIDE = 4096


class StableVideoInput(msgspec.Struct):
    input_image: str
    video_length: Literal["14_frames_with_svd", "25_frames_with_svd_xt"] = "14_frames_with_svd"
    sizing_strategy: str = "maintain_aspect_ratio"
    frames_per_second: Annotated[int, msgspec.Meta(ge=5, le=30)] = 6
    motion_bucket_id: Annotated[int, msgspec.Meta(ge=1, le=255)] = 127
    cond_aug: float = 0.02
    decoding_t: int = 14
    seed: int | None = None


class SadtalkerInput(msgspec.Struct):
    source_image: str
    driven_audio: str
    preprocess: Literal["crop", "resize", "full", "extcrop", "extfull"] = "crop"
    still_mode: bool = True
    use_enhancer: bool = False
    use_eyeblink: bool = True
    pose_style: int = 0
    expression_scale: float = 1.0
    size_of_image: Literal[256, 512] = 256
    facerender: Literal["facevid2vid", "pirender"] = "facevid2vid"


class LivePortraitInput(msgspec.Struct):
    face_image: str
    driving_video: str
    live_portrait_dsize: Annotated[int, msgspec.Meta(ge=64, le=2048)] = 512
    video_frame_load_cap: int = 128


class EsrganInput(msgspec.Struct):
    image: str
    scale: Annotated[float, msgspec.Meta(ge=0, le=10)] = 4
    face_enhance: bool = False


MovingInput = StableVideoInput | SadtalkerInput | LivePortraitInput | EsrganInput
Made = tuple[str | list[str], str]


async def _stable_video(given: StableVideoInput, shelf: Shelf) -> Made:
    still = await read_input(given.input_image)
    seed = given.seed if given.seed is not None else random.randrange(2**31)  # noqa: S311
    motion, fps = given.motion_bucket_id, given.frames_per_second
    video = await asyncio.to_thread(clips.moving, still, seed=seed, motion=motion, fps=fps)
    return shelf.keep(video, "mp4"), f"Using seed: {seed}\n"


async def _sadtalker(given: SadtalkerInput, shelf: Shelf) -> Made:
    still, audio = await read_input(given.source_image), await read_input(given.driven_audio)
    return shelf.keep(await asyncio.to_thread(clips.talking, still, audio), "mp4"), ""


async def _live_portrait(given: LivePortraitInput, shelf: Shelf) -> Made:
    still, driving = await read_input(given.face_image), await read_input(given.driving_video)
    return [shelf.keep(await asyncio.to_thread(clips.moved_like, still, driving), "mp4")], ""


async def _esrgan(given: EsrganInput, shelf: Shelf) -> Made:
    picture = await read_input(given.image)
    enlarged, _, _ = await asyncio.to_thread(
        drawing.enlarged, picture, scale=given.scale, most=LARGEST_SIDE, kind="png"
    )
    return shelf.keep(enlarged, "png"), ""


MOVING: dict[type[MovingInput], Callable[[Any, Shelf], Awaitable[Made]]] = {
    StableVideoInput: _stable_video,
    SadtalkerInput: _sadtalker,
    LivePortraitInput: _live_portrait,
    EsrganInput: _esrgan,
}
VERSIONS: dict[str, tuple[str, type[MovingInput]]] = {
    "92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036": (
        "christophy/stable-video-diffusion",
        StableVideoInput,
    ),
    "a519cc0cfebaaeade068b23899165a11ec76aaa1d2b313d40d214f204ec957a3": (
        "cjwbw/sadtalker",
        SadtalkerInput,
    ),
    "cd7ed192aa7cf6687d77c6494a2027ca1a76d06f524a02f5faee1727280c6a9e": (
        "fofr/live-portrait",
        LivePortraitInput,
    ),
    "499940604f95b416c3939423df5c64a5c95cfd32b464d755dacfe2192a2de7ef": (
        "daanelson/real-esrgan-a100",
        EsrganInput,
    ),
}
"""Model and form of input by the version's id."""
