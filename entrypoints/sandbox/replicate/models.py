"""What the models do: draw, or train. One input form serves every image model.

A version is 64 hexadecimal digits and a model `owner/name`; any of them is taken for an image
model with LoRA weights, and any training for a Flux trainer.
"""

import asyncio
import hashlib
import random
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from entrypoints.sandbox import drawing
from entrypoints.sandbox.media import (
    CRASH,
    FLAGGED,
    REFUSED,
    InputUnreadable,
    Shelf,
    person_of,
    read_input,
    train,
)
from entrypoints.sandbox.replicate.moving import MOVING, MovingInput

ASPECT_RATIOS = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}


class ImageInput(msgspec.Struct):
    prompt: str
    lora_weights: str = ""
    lora_scale: Annotated[float, msgspec.Meta(ge=-1, le=3)] = 1.0
    image: str = ""
    aspect_ratio: str = "1:1"
    num_outputs: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    num_inference_steps: Annotated[int, msgspec.Meta(ge=1, le=50)] = 28
    guidance: Annotated[float, msgspec.Meta(ge=0, le=10)] = 3.0
    seed: int | None = None
    output_format: Literal["webp", "jpg", "png"] = "webp"
    megapixels: Literal["1", "0.25"] = "1"
    disable_safety_checker: bool = False


class TrainingInput(msgspec.Struct):
    input_images: str
    trigger_word: str = "TOK"
    steps: Annotated[int, msgspec.Meta(ge=3, le=6000)] = 1000


Input = ImageInput | TrainingInput | MovingInput


class InputInvalid(Exception):
    """The input does not fit the model's form: HTTP 422."""


class ModelFailed(Exception):
    """The run ended without an output; the message becomes the prediction's `error`."""


def validate(raw: object, accepted: type[Input]) -> Input:
    """Raises InputInvalid, worded as the provider words it."""
    given = raw if isinstance(raw, Mapping) else {}
    for field in msgspec.structs.fields(accepted):
        if field.required and not given.get(field.name):
            raise InputInvalid(f"- input: {field.name} is required\n")
    try:
        converted = msgspec.convert(given, accepted)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        raise InputInvalid(f"- input.{place.rstrip('`')}: {message}\n") from error
    if isinstance(converted, ImageInput) and converted.aspect_ratio not in ASPECT_RATIOS:
        raise InputInvalid(f"- input.aspect_ratio: must be one of {', '.join(ASPECT_RATIOS)}\n")
    return converted


async def run(given: Input, shelf: Shelf) -> tuple[Any, str]:
    """The output and the last lines of the log. Raises ModelFailed."""
    try:
        if isinstance(given, TrainingInput):
            return await _train(given, shelf), ""
        if isinstance(given, ImageInput):
            return await _draw(given, shelf)
        return await MOVING[type(given)](given, shelf)
    except (InputUnreadable, ValueError) as error:
        raise ModelFailed(f"Failed to download an input: {error}") from error


async def _draw(given: ImageInput, shelf: Shelf) -> tuple[list[str], str]:
    if REFUSED in given.prompt:
        raise ModelFailed("The input or output was flagged as sensitive. Please try again. (E005)")
    if CRASH in given.prompt:
        raise ModelFailed("Prediction interrupted; please retry (code: PA)")
    if FLAGGED in given.prompt and not given.disable_safety_checker:
        raise ModelFailed("NSFW content detected. Try running it again, or try a different prompt.")
    person = await person_of(given.lora_weights) if given.lora_weights else "nobody in particular"
    scene = await read_input(given.image) if given.image else None
    seed = given.seed if given.seed is not None else random.randrange(2**31)  # noqa: S311
    width, height = ASPECT_RATIOS[given.aspect_ratio]
    if given.megapixels == "0.25":
        width, height = width // 2, height // 2

    def draw(number: int) -> bytes:
        prompt, turn = given.prompt, seed + number
        image = (
            drawing.draw_from_text(
                prompt=prompt, seed=turn, person=person, width=width, height=height
            )
            if scene is None
            else drawing.draw_into_photo(scene, prompt=prompt, seed=turn, person=person)
        )
        return drawing.encode(image, given.output_format)

    pictures = [await asyncio.to_thread(draw, number) for number in range(given.num_outputs)]
    return [
        shelf.keep(picture, given.output_format) for picture in pictures
    ], f"Using seed: {seed}\n"


async def _train(given: TrainingInput, shelf: Shelf) -> dict[str, str]:
    archive = await read_input(given.input_images)
    weights, _ = await asyncio.to_thread(
        train, archive, trigger_word=given.trigger_word, steps=given.steps
    )
    return {
        "version": hashlib.sha256(weights).hexdigest(),
        "weights": shelf.keep(weights, "safetensors"),
    }
