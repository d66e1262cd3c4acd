"""The apps that do other things than draw from a prompt: characters, videos, meshes, upscaling."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec

from entrypoints.sandbox import clips, drawing, mesh
from entrypoints.sandbox.fal.answers import (
    Answer,
    crashed,
    file_answer,
    given_file,
    refused_by_policy,
    unreadable,
)
from entrypoints.sandbox.media import (
    CONTENT_TYPES,
    CRASH,
    FLAGGED,
    REFUSED,
    InputUnreadable,
    Shelf,
    images_in,
)

LARGEST_SIDE = 4096


class Photomaker(msgspec.Struct):
    prompt: str
    image_archive_url: str
    base_pipeline: Literal["photomaker", "photomaker-style"] = "photomaker"
    style: str = "Photographic"
    style_strength: Annotated[int, msgspec.Meta(ge=15, le=50)] = 20
    negative_prompt: str = ""
    num_inference_steps: Annotated[int, msgspec.Meta(ge=20, le=100)] = 50
    num_images: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    guidance_scale: float = 5.0
    seed: int | None = None


class StableVideo(msgspec.Struct):
    image_url: str
    motion_bucket_id: Annotated[int, msgspec.Meta(ge=1, le=255)] = 127
    cond_aug: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.02
    seed: int | None = None
    fps: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25


class Sadtalker(msgspec.Struct):
    source_image_url: str
    driven_audio_url: str
    pose_style: Annotated[int, msgspec.Meta(ge=0, le=45)] = 0
    face_model_resolution: Literal["256", "512"] = "256"
    expression_scale: Annotated[float, msgspec.Meta(ge=0, le=3)] = 1.0
    face_enhancer: str | None = None
    still_mode: bool = False
    preprocess: Literal["crop", "extcrop", "resize", "full", "extfull"] = "crop"


class LivePortrait(msgspec.Struct):
    image_url: str
    video_url: str
    enable_safety_checker: bool = False


class Triposr(msgspec.Struct):
    image_url: str
    output_format: Literal["glb", "obj"] = "glb"
    do_remove_background: bool = True
    foreground_ratio: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.9
    mc_resolution: Annotated[int, msgspec.Meta(ge=32, le=1024)] = 256


class Esrgan(msgspec.Struct):
    image_url: str
    scale: Annotated[float, msgspec.Meta(ge=1, le=8)] = 2
    model: Literal[
        "RealESRGAN_x4plus",
        "RealESRGAN_x2plus",
        "RealESRGAN_x4plus_anime_6B",
        "RealESRGAN_x4_v3",
        "RealESRGAN_x4_wdn_v3",
        "RealESRGAN_x4_anime_v3",
    ] = "RealESRGAN_x4plus"
    face: bool = False
    output_format: Literal["png", "jpeg"] = "png"


async def _photomaker(arguments: Photomaker, shelf: Shelf) -> Answer:
    archive = await given_file(arguments, "image_archive_url")
    try:
        images_in(archive)
    except InputUnreadable as error:
        raise unreadable("image_archive_url", error) from error
    if REFUSED in arguments.prompt:
        raise refused_by_policy()
    if CRASH in arguments.prompt:
        raise crashed()
    person = hashlib.sha256(archive).hexdigest()
    seed = seed_of(arguments.seed)
    prompt = f"{arguments.prompt} {arguments.style}"

    def draw(number: int) -> bytes:
        image = drawing.draw_from_text(
            prompt=prompt, seed=seed + number, person=person, width=1024, height=1024
        )
        return drawing.encode(image, "png")

    pictures = [await asyncio.to_thread(draw, number) for number in range(arguments.num_images)]
    return {
        "images": [
            {"url": shelf.keep(picture, "png"), "content_type": CONTENT_TYPES["png"]}
            for picture in pictures
        ],
        "seed": seed,
        "has_nsfw_concepts": [FLAGGED in arguments.prompt] * len(pictures),
    }


async def _stable_video(arguments: StableVideo, shelf: Shelf) -> Answer:
    still = await given_file(arguments, "image_url")
    seed = seed_of(arguments.seed)

    def make() -> bytes:
        motion, fps = arguments.motion_bucket_id, arguments.fps
        return clips.moving(still, seed=seed, motion=motion, fps=fps)

    video = await _made("image_url", make)
    return {"video": file_answer(shelf, video, "mp4", "output"), "seed": seed}


async def _sadtalker(arguments: Sadtalker, shelf: Shelf) -> Answer:
    still = await given_file(arguments, "source_image_url")
    audio = await given_file(arguments, "driven_audio_url")
    video = await _made("driven_audio_url", lambda: clips.talking(still, audio))
    return {"video": file_answer(shelf, video, "mp4", "output")}


async def _live_portrait(arguments: LivePortrait, shelf: Shelf) -> Answer:
    still = await given_file(arguments, "image_url")
    driving = await given_file(arguments, "video_url")
    video = await _made("video_url", lambda: clips.moved_like(still, driving))
    return {"video": file_answer(shelf, video, "mp4", "output"), "has_nsfw_concepts": [False]}


async def _triposr(arguments: Triposr, shelf: Shelf) -> Answer:
    picture = await given_file(arguments, "image_url")
    model = await _made("image_url", lambda: mesh.relief_of(picture))
    return {
        "model_mesh": file_answer(shelf, model, "glb", "model"),
        "timings": {"inference": 0.2},
    }


async def _esrgan(arguments: Esrgan, shelf: Shelf) -> Answer:
    picture = await given_file(arguments, "image_url")
    enlarged, width, height = await _made(
        "image_url",
        lambda: drawing.enlarged(
            picture, scale=arguments.scale, most=LARGEST_SIDE, kind=arguments.output_format
        ),
    )
    suffix = arguments.output_format
    size = {"width": width, "height": height}
    return {"image": file_answer(shelf, enlarged, suffix, "upscaled") | size}


async def _made(field: str, make: Callable[[], Any]) -> Any:
    try:
        return await asyncio.to_thread(make)
    except (InputUnreadable, ValueError) as error:
        raise unreadable(field, error) from error


def seed_of(given: int | None) -> int:
    return given if given is not None else random.randrange(2**31)  # noqa: S311 - a seed


MovingArguments = Photomaker | StableVideo | Sadtalker | LivePortrait | Triposr | Esrgan
MOVING: dict[str, tuple[type[MovingArguments], Callable[[Any, Shelf], Awaitable[Answer]]]] = {
    "fal-ai/photomaker": (Photomaker, _photomaker),
    "fal-ai/stable-video": (StableVideo, _stable_video),
    "fal-ai/sadtalker": (Sadtalker, _sadtalker),
    "fal-ai/live-portrait": (LivePortrait, _live_portrait),
    "fal-ai/triposr": (Triposr, _triposr),
    "fal-ai/esrgan": (Esrgan, _esrgan),
}
