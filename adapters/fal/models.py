"""Which apps of fal we use, and our requests in the words of each.

The fields are those of the models' pages at https://fal.ai/models/…/api; docs/providers.md lists
them, with what was tried and what is from those pages only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from application.ports.engines import (
    CharacterToImage,
    EngineRequest,
    ImageToMesh,
    ImageToVideo,
    LikenessWeights,
    PhotoToImage,
    TalkingPortrait,
    TextToImage,
    TrainLikeness,
    TransferMotion,
    UpscaleImage,
)

R = TypeVar("R", bound=EngineRequest)
Arguments = dict[str, Any]

SMALLEST_SIDE, LARGEST_SIDE = 256, 2048
PHOTOMAKER_TRIGGER: Final = "img"


@dataclass(frozen=True, slots=True)
class FalModel(Generic[R]):
    """`app` is its name at fal, `takes` the kind of request that it serves."""

    app: str
    takes: type[R]
    arguments: Callable[[R], Arguments]


def _text_to_image(request: TextToImage) -> Arguments:
    return {
        **_drawn(request.prompt, request.weights, request.seed),
        "image_size": {"width": _side(request.width), "height": _side(request.height)},
    }


def _photo_to_image(request: PhotoToImage) -> Arguments:
    return {
        **_drawn(request.prompt, request.weights, request.seed),
        "image_url": request.scene_image_url,
    }


def _character_to_image(request: CharacterToImage) -> Arguments:
    """PhotoMaker puts the person where the prompt says `img`, after a word for what they are."""
    words = request.prompt.split()
    prompt = request.prompt if PHOTOMAKER_TRIGGER in words else f"a person img, {request.prompt}"
    arguments: Arguments = {
        "prompt": prompt,
        "image_archive_url": request.references_url,
        "num_images": 1,
        "seed": request.seed,
    }
    return arguments | ({"style": request.style} if request.style else {})


def _image_to_video(request: ImageToVideo) -> Arguments:
    return {
        "image_url": request.image_url,
        "motion_bucket_id": request.motion,
        "cond_aug": request.deviation,
        "fps": request.frames_per_second,
        "seed": request.seed,
    }


def _transfer_motion(request: TransferMotion) -> Arguments:
    return {
        "image_url": request.image_url,
        "video_url": request.driving_video_url,
        "enable_safety_checker": True,
    }


def _talking_portrait(request: TalkingPortrait) -> Arguments:
    return {
        "source_image_url": request.image_url,
        "driven_audio_url": request.audio_url,
        "still_mode": request.still,
        "preprocess": "full" if request.still else "crop",
    }


def _image_to_mesh(request: ImageToMesh) -> Arguments:
    return {"image_url": request.image_url, "output_format": "glb"}


def _upscale_image(request: UpscaleImage) -> Arguments:
    return {"image_url": request.image_url, "scale": request.factor, "output_format": "png"}


def _fast_training(request: TrainLikeness) -> Arguments:
    return {
        "images_data_url": request.archive_url,
        "trigger_word": request.trigger_word,
        "steps": request.steps,
        "is_style": False,
        "create_masks": True,
    }


def _portrait_training(request: TrainLikeness) -> Arguments:
    return {
        "images_data_url": request.archive_url,
        "trigger_phrase": request.trigger_word,
        "steps": request.steps,
        "subject_crop": True,
        "multiresolution_training": True,
    }


def _drawn(prompt: str, weights: LikenessWeights | None, seed: int) -> Arguments:
    """What all FLUX models ask for. Trained weights answer to their trigger word only."""
    if weights is not None and weights.trigger_word not in prompt:
        prompt = f"{weights.trigger_word}, {prompt}"
    return {
        "prompt": prompt,
        "loras": [{"path": weights.weights_url, "scale": 1.0}] if weights else [],
        "num_images": 1,
        "seed": seed,
        "output_format": "png",
        "enable_safety_checker": True,
    }


def _side(pixels: int) -> int:
    return max(SMALLEST_SIDE, min(pixels, LARGEST_SIDE))


FLUX_LORA = FalModel("fal-ai/flux-lora", TextToImage, _text_to_image)
FLUX_KONTEXT_LORA = FalModel("fal-ai/flux-kontext-lora", PhotoToImage, _photo_to_image)
PHOTOMAKER = FalModel("fal-ai/photomaker", CharacterToImage, _character_to_image)
STABLE_VIDEO = FalModel("fal-ai/stable-video", ImageToVideo, _image_to_video)
LIVE_PORTRAIT = FalModel("fal-ai/live-portrait", TransferMotion, _transfer_motion)
SADTALKER = FalModel("fal-ai/sadtalker", TalkingPortrait, _talking_portrait)
TRIPOSR = FalModel("fal-ai/triposr", ImageToMesh, _image_to_mesh)
ESRGAN = FalModel("fal-ai/esrgan", UpscaleImage, _upscale_image)
FAST_TRAINING = FalModel("fal-ai/flux-lora-fast-training", TrainLikeness, _fast_training)
PORTRAIT_TRAINING = FalModel("fal-ai/flux-lora-portrait-trainer", TrainLikeness, _portrait_training)

MODELS: Final[tuple[FalModel[Any], ...]] = (
    FLUX_LORA,
    FLUX_KONTEXT_LORA,
    PHOTOMAKER,
    STABLE_VIDEO,
    LIVE_PORTRAIT,
    SADTALKER,
    TRIPOSR,
    ESRGAN,
    FAST_TRAINING,
    PORTRAIT_TRAINING,
)
"""The first of two that take the same is preferred."""
