"""Which models of Replicate we use, and our requests in the words of each.

The fields are those of the models' pages at https://replicate.com/…/api; docs/providers.md lists
them, with what was tried and what is from those pages only. Models of the community run by the id
of a version, which may not change under us; official ones have none to name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from application.ports.engines import (
    EngineRequest,
    ImageToVideo,
    TalkingPortrait,
    TextToImage,
    TransferMotion,
    UpscaleImage,
)

R = TypeVar("R", bound=EngineRequest)
Input = dict[str, Any]

ASPECT_RATIOS: Final = {
    name: int(name.partition(":")[0]) / int(name.partition(":")[2])
    for name in ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
}
SLOWEST_FPS, FASTEST_FPS = 5, 30


@dataclass(frozen=True, slots=True)
class ReplicateModel(Generic[R]):
    """`name` is `owner/name`; `version` empty runs its present one."""

    name: str
    takes: type[R]
    given: Callable[[R], Input]
    version: str = ""


def _text_to_image(request: TextToImage) -> Input:
    prompt, weights = request.prompt, request.weights
    if weights is not None and weights.trigger_word not in prompt:
        prompt = f"{weights.trigger_word}, {prompt}"
    return {
        "prompt": prompt,
        **({"lora_weights": weights.weights_url, "lora_scale": 1.0} if weights else {}),
        "aspect_ratio": nearest_aspect_ratio(request.width, request.height),
        "num_outputs": 1,
        "seed": request.seed,
        "output_format": "png",
        "disable_safety_checker": False,
    }


def _image_to_video(request: ImageToVideo) -> Input:
    return {
        "input_image": request.image_url,
        "video_length": "25_frames_with_svd_xt",
        "sizing_strategy": "maintain_aspect_ratio",
        "motion_bucket_id": request.motion,
        "cond_aug": request.deviation,
        "frames_per_second": max(SLOWEST_FPS, min(request.frames_per_second, FASTEST_FPS)),
        "seed": request.seed,
    }


def _talking_portrait(request: TalkingPortrait) -> Input:
    return {
        "source_image": request.image_url,
        "driven_audio": request.audio_url,
        "still_mode": request.still,
        "preprocess": "full" if request.still else "crop",
    }


def _transfer_motion(request: TransferMotion) -> Input:
    return {"face_image": request.image_url, "driving_video": request.driving_video_url}


def _upscale_image(request: UpscaleImage) -> Input:
    return {"image": request.image_url, "scale": request.factor, "face_enhance": False}


def nearest_aspect_ratio(width: int, height: int) -> str:
    """The model draws about one megapixel in one of these proportions."""
    wanted = width / height
    return min(ASPECT_RATIOS, key=lambda name: abs(ASPECT_RATIOS[name] / wanted - 1))


FLUX_DEV_LORA = ReplicateModel("black-forest-labs/flux-dev-lora", TextToImage, _text_to_image)
STABLE_VIDEO = ReplicateModel(
    "christophy/stable-video-diffusion",
    ImageToVideo,
    _image_to_video,
    "92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036",
)
SADTALKER = ReplicateModel(
    "cjwbw/sadtalker",
    TalkingPortrait,
    _talking_portrait,
    "a519cc0cfebaaeade068b23899165a11ec76aaa1d2b313d40d214f204ec957a3",
)
LIVE_PORTRAIT = ReplicateModel(
    "fofr/live-portrait",
    TransferMotion,
    _transfer_motion,
    "cd7ed192aa7cf6687d77c6494a2027ca1a76d06f524a02f5faee1727280c6a9e",
)
ESRGAN = ReplicateModel(
    "daanelson/real-esrgan-a100",
    UpscaleImage,
    _upscale_image,
    "499940604f95b416c3939423df5c64a5c95cfd32b464d755dacfe2192a2de7ef",
)

MODELS: Final[tuple[ReplicateModel[Any], ...]] = (
    FLUX_DEV_LORA,
    STABLE_VIDEO,
    SADTALKER,
    LIVE_PORTRAIT,
    ESRGAN,
)
