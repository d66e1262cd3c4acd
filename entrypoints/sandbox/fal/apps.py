"""The apps that can be run, what they ask for, and what they answer.

An app validates its arguments, then works on them; it may read files, draw, and put results on the
shelf. It fails with `AppFailed`, which carries the HTTP status and body of the result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from entrypoints.sandbox import drawing
from entrypoints.sandbox.fal.answers import (
    Answer,
    AppFailed,
    crashed,
    file_answer,
    given_file,
    refused_by_policy,
    unreadable,
)
from entrypoints.sandbox.fal.moving import MOVING, MovingArguments, seed_of
from entrypoints.sandbox.media import (
    CONTENT_TYPES,
    CRASH,
    FLAGGED,
    REFUSED,
    InputUnreadable,
    Shelf,
    person_of,
    train,
)

IMAGE_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
Side = Annotated[int, msgspec.Meta(ge=256, le=2048)]
Count = Annotated[int, msgspec.Meta(ge=1, le=4)]


class Size(msgspec.Struct):
    width: Side
    height: Side


class Lora(msgspec.Struct):
    path: str
    scale: float = 1.0


class FluxLora(msgspec.Struct):
    prompt: str
    loras: list[Lora] = []
    image_size: Size | str = "landscape_4_3"
    num_inference_steps: Annotated[int, msgspec.Meta(ge=1, le=50)] = 28
    guidance_scale: float = 3.5
    num_images: Count = 1
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "jpeg"
    enable_safety_checker: bool = True


class FluxKontextLora(msgspec.Struct):
    prompt: str
    image_url: str
    loras: list[Lora] = []
    num_inference_steps: Annotated[int, msgspec.Meta(ge=10, le=50)] = 30
    guidance_scale: float = 2.5
    num_images: Count = 1
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "png"
    resolution_mode: str = "match_input"
    enable_safety_checker: bool = True


class FluxProKontext(msgspec.Struct):
    prompt: str
    image_url: str
    guidance_scale: float = 3.5
    num_images: Count = 1
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "jpeg"


class FluxLoraFastTraining(msgspec.Struct):
    images_data_url: str
    trigger_word: str | None = None
    steps: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    is_style: bool = False
    create_masks: bool = True


class FluxLoraPortraitTrainer(msgspec.Struct):
    images_data_url: str
    trigger_phrase: str | None = None
    learning_rate: Annotated[float, msgspec.Meta(ge=0.000001, le=0.001)] = 0.00009
    steps: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 2500
    multiresolution_training: bool = True
    subject_crop: bool = True
    create_masks: bool = False


Training = FluxLoraFastTraining | FluxLoraPortraitTrainer
Arguments = FluxLora | FluxKontextLora | FluxProKontext | Training | MovingArguments


def validate(app: str, body: Mapping[str, object]) -> Arguments:
    """Raises AppFailed 422 with one entry per missing field, or one for a bad value."""
    accepted = APPS[app][0]
    missing = [
        {"type": "missing", "loc": ["body", field.name], "msg": "Field required", "input": body}
        for field in msgspec.structs.fields(accepted)
        if field.required and body.get(field.name) is None
    ]
    if missing:
        raise AppFailed(422, missing)
    try:
        return msgspec.convert(body, accepted)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        problem = {"type": "value_error", "loc": ["body", place.rstrip("`")], "msg": message}
        raise AppFailed(422, [problem]) from error


async def run(app: str, arguments: Arguments, shelf: Shelf) -> Answer:
    return await APPS[app][1](arguments, shelf)


def is_training(app: str) -> bool:
    return APPS[app][0] in (FluxLoraFastTraining, FluxLoraPortraitTrainer)


def units_of(arguments: Arguments) -> float:
    """What a finished request is billed for: steps of a training, otherwise one piece."""
    return float(arguments.steps) if isinstance(arguments, Training) else 1.0


async def _flux_lora(arguments: Any, shelf: Shelf) -> Answer:
    size = arguments.image_size
    width, height = (
        IMAGE_SIZES.get(size, (1024, 768)) if isinstance(size, str) else (size.width, size.height)
    )
    person = await _person(arguments)
    seed = seed_of(arguments.seed)

    def draw(number: int) -> bytes:
        image = drawing.draw_from_text(
            prompt=arguments.prompt, seed=seed + number, person=person, width=width, height=height
        )
        return _finish(image, arguments)

    return await _images(arguments, shelf, draw, seed)


async def _kontext(arguments: Any, shelf: Shelf) -> Answer:
    scene = await given_file(arguments, "image_url")
    person = await _person(arguments)
    seed = seed_of(arguments.seed)

    def draw(number: int) -> bytes:
        image = drawing.draw_into_photo(
            scene, prompt=arguments.prompt, seed=seed + number, person=person
        )
        return _finish(image, arguments)

    try:
        return await _images(arguments, shelf, draw, seed)
    except ValueError as error:
        raise unreadable("image_url", error) from error


async def _training(arguments: Any, shelf: Shelf) -> Answer:
    archive = await given_file(arguments, "images_data_url")
    fast = isinstance(arguments, FluxLoraFastTraining)
    trigger = arguments.trigger_word if fast else arguments.trigger_phrase
    try:
        weights, config = await asyncio.to_thread(
            train, archive, trigger_word=trigger or "", steps=arguments.steps
        )
    except InputUnreadable as error:
        raise unreadable("images_data_url", error) from error
    return {
        "diffusers_lora_file": file_answer(shelf, weights, "safetensors", "pytorch_lora_weights"),
        "config_file": file_answer(shelf, config, "json", "config"),
    }


async def _person(arguments: Any) -> str:
    """Whose likeness the first LoRA holds. Raises AppFailed when it cannot be read."""
    loras = getattr(arguments, "loras", [])
    try:
        return await person_of(loras[0].path) if loras else "nobody in particular"
    except InputUnreadable as error:
        raise unreadable("loras", error) from error


def _finish(image: Any, arguments: Any) -> bytes:
    if FLAGGED in arguments.prompt:
        image = drawing.refused(*image.size)
    return drawing.encode(image, arguments.output_format)


async def _images(arguments: Any, shelf: Shelf, draw: Callable[[int], bytes], seed: int) -> Answer:
    if REFUSED in arguments.prompt:
        raise refused_by_policy()
    if CRASH in arguments.prompt:
        raise crashed()
    suffix = arguments.output_format
    pictures = [await asyncio.to_thread(draw, number) for number in range(arguments.num_images)]
    return {
        "images": [
            {"url": shelf.keep(picture, suffix), "content_type": CONTENT_TYPES[suffix]}
            for picture in pictures
        ],
        "timings": {"inference": 0.2},
        "seed": seed,
        "has_nsfw_concepts": [FLAGGED in arguments.prompt] * len(pictures),
        "prompt": arguments.prompt,
    }


APPS: dict[str, tuple[type[Arguments], Callable[[Any, Shelf], Awaitable[Answer]]]] = {
    "fal-ai/flux-lora": (FluxLora, _flux_lora),
    "fal-ai/flux-kontext-lora": (FluxKontextLora, _kontext),
    "fal-ai/flux-pro/kontext": (FluxProKontext, _kontext),
    "fal-ai/flux-lora-fast-training": (FluxLoraFastTraining, _training),
    "fal-ai/flux-lora-portrait-trainer": (FluxLoraPortraitTrainer, _training),
    **MOVING,
}
